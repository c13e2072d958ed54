// Numbers and times as people read them; the same as the pages' texts.

export const DASH = "\u2013";

/** In four digits, or whole; a dash for none. `service/reports/phrases.py` says the same. */
export function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return DASH;
  const size = Math.abs(value);
  if (size >= 9999.5 && size < 1e15) return Math.round(value).toLocaleString("en");
  const short = Number(value.toPrecision(4));
  if (size === 0 || (size >= 0.0001 && size < 1e15)) return String(short);
  return short.toExponential().replace(/([+-])(\d)$/, (_, sign, digit) => `${sign}0${digit}`);
}

/** A share in percent. */
export function share(ratio) {
  if (ratio === null || ratio === undefined) return DASH;
  const percent = 100 * ratio;
  if (percent === 0) return "0 %";
  return percent >= 0.1 ? `${percent.toFixed(1)} %` : "< 0.1 %";
}

/** The time to the second, in UTC. */
export function utc(ms) {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** From one time to the other; the day is told once where it is the same. */
export function span(startMs, endMs) {
  const start = utc(startMs).slice(0, 19);
  const end = utc(endMs);
  return end.startsWith(start.slice(0, 10)) ? `${start} to ${end.slice(11)}` : `${start} to ${end}`;
}

/** "1 window", "1,200 windows". */
export function counted(count, word) {
  return `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
}
