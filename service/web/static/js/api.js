// Asks the API, and turns what it refuses into a sentence.

/** What the API answered instead: a problem (RFC 9457) with its sentence and mistakes. */
class Problem extends Error {
  constructor(status, detail, mistakes = []) {
    super(detail);
    this.status = status;
    this.mistakes = mistakes;
  }
}

/** The JSON at this address; throws a Problem. */
export async function getJson(address) {
  return answered(await reached(address, { headers: { Accept: "application/json" } }));
}

/** What the API answers to this document or file; null where it answers nothing. Throws a Problem. */
export async function send(method, address, sent) {
  const isFile = sent instanceof Blob;
  const type = isFile ? sent.type || "application/octet-stream" : "application/json";
  const headers = { Accept: "application/json", "Content-Type": type };
  return answered(await reached(address, { method, headers, body: isFile ? sent : JSON.stringify(sent) }));
}

async function reached(address, options) {
  try {
    return await fetch(address, { credentials: "same-origin", ...options });
  } catch {
    const why = options.body instanceof Blob ? "the file was not taken; is it too large?" : "driftbell cannot be reached; is it running?";
    throw new Problem(0, why);
  }
}

async function answered(response) {
  if (response.status === 204) return null;
  const document = await response.json().catch(() => null);
  if (response.ok && document !== null) return document;
  if (response.status === 401) throw new Problem(401, "your login has ended; load this page again");
  throw new Problem(response.status, document?.detail ?? `driftbell answered ${response.status}`, document?.mistakes);
}
