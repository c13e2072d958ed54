// Keeps a page as it would be if it were loaded now: what the server tells to have changed is read again.

const MOST_OFTEN_MS = 3_000; // however much changes
const ANYWAY_MS = 30_000; // ages of events grow when nothing happens
const SILENT_AFTER_MS = 45_000; // the server beats every 15 s
const TRY_AGAIN_MS = 10_000;
const LONGEST_READING_MS = 20_000;
const INTERESTING = ["models", "incidents"]; // of what the stream tells

/** Keep the parts of this page alive that carry `data-live`; `mark` is where it stands whether they are. */
export function keepLive(mark) {
  const page = { mark, source: null, heardAt: 0, readAt: Date.now(), timer: null, staleSince: null };
  const wanted = () => readSoon(page);
  const connect = () => {
    page.source?.close();
    page.source = open(page, wanted, connect);
  };
  document.addEventListener("visibilitychange", () => {
    // A browser has six connections to one host: a page that nobody sees leaves its own to others.
    if (document.hidden) page.source?.close();
    else connect();
  });
  setInterval(() => {
    if (!document.hidden && Date.now() - page.heardAt > SILENT_AFTER_MS) stale(page, "nothing is heard");
    wanted();
  }, ANYWAY_MS);
  connect();
}

function open(page, wanted, connect) {
  const source = new EventSource(page.mark.dataset.stream);
  const heard = () => {
    page.heardAt = Date.now();
  };
  source.addEventListener("open", () => {
    heard();
    wanted();
  });
  source.addEventListener("beat", heard);
  for (const name of INTERESTING) {
    source.addEventListener(name, () => {
      heard();
      wanted();
    });
  }
  source.addEventListener("error", () => {
    stale(page, "the connection is lost");
    if (source.readyState === EventSource.CLOSED) setTimeout(() => page.source === source && connect(), TRY_AGAIN_MS);
  });
  return source;
}

function readSoon(page) {
  if (page.timer !== null) return;
  const wait = Math.max(0, page.readAt + MOST_OFTEN_MS - Date.now());
  page.timer = setTimeout(async () => {
    try {
      await readAgain(page);
    } finally {
      page.readAt = Date.now();
      page.timer = null;
    }
  }, wait);
}

async function readAgain(page) {
  try {
    const response = await fetch(location.href, {
      headers: { Accept: "text/html" },
      credentials: "same-origin",
      signal: AbortSignal.timeout(LONGEST_READING_MS),
    });
    if (response.redirected || response.status === 401) return stale(page, "your login has ended");
    if (!response.ok) return stale(page, `driftbell answered ${response.status}`);
    renew(new DOMParser().parseFromString(await response.text(), "text/html"));
    live(page);
  } catch {
    stale(page, "driftbell cannot be reached");
  }
}

// ---------------------------------------------------------------- the mark
function live(page) {
  page.staleSince = null;
  page.mark.className = "live quiet is-live";
  say(page.mark, `Live, as of ${clock(new Date())} UTC`);
}

function stale(page, why) {
  page.staleSince ??= new Date(Math.max(page.readAt, 0));
  page.mark.className = "live quiet is-stale";
  say(page.mark, `Stale since ${clock(page.staleSince)} UTC: ${why}`);
}

function say(mark, text) {
  if (mark.textContent !== text) mark.textContent = text;
}

function clock(time) {
  return time.toISOString().slice(11, 19);
}

// ---------------------------------------------------------------- what has changed
/** Put the parts of a newer page into this one. Whoever reads or has come to somewhere by keyboard stays there. */
function renew(newer) {
  const place = focused();
  const { scrollX, scrollY } = window;
  document.title = newer.title;
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = newer.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`);
    if (next !== null) renewPart(part, next);
  }
  window.scrollTo(scrollX, scrollY);
  place?.();
}

function renewPart(part, next) {
  const rows = part.querySelector("[data-live-rows]");
  const nextRows = next.querySelector("[data-live-rows]");
  if (rows === null || nextRows === null) {
    if (!part.isEqualNode(next)) part.replaceChildren(...[...next.childNodes].map((one) => document.importNode(one, true)));
  } else {
    renewRows(rows, nextRows);
  }
  part.hidden = next.hidden;
}

function renewRows(rows, nextRows) {
  const known = new Map([...rows.children].map((row) => [row.dataset.key, row]));
  const wanted = [...nextRows.children].map((row) => {
    const before = known.get(row.dataset.key);
    return before?.isEqualNode(row) ? before : document.importNode(row, true);
  });
  const isSame = wanted.length === rows.children.length && wanted.every((row, place) => row === rows.children[place]);
  if (!isSame) rows.replaceChildren(...wanted);
}

/** How to come back to the element that has the focus, if it stands in a row that may be replaced. */
function focused() {
  const element = document.activeElement;
  const row = element?.closest("[data-key]");
  if (!row) return null;
  const key = row.dataset.key;
  const number = links(row).indexOf(element);
  return () => {
    if (document.activeElement === element) return;
    const now = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key);
    (now && (links(now)[number] ?? links(now)[0]))?.focus({ preventScroll: true });
  };
}

function links(row) {
  return [...row.querySelectorAll("a, button, input, select, summary")];
}
