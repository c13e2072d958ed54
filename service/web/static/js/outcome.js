// Tells in a place of a page that something goes on, and why it was not done.

import { element } from "./nodes.js";

/** Does it; what `act` puts into the place stays there. */
export async function outcome(place, meanwhile, act) {
  place.replaceChildren(element("p", { class: "quiet" }, meanwhile));
  try {
    await act();
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    place.replaceChildren(element("p", { class: "complaint" }, problem.message));
  }
}
