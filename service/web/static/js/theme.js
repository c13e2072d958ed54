// The stylesheet's tokens, for what is drawn on a canvas.

const scheme = window.matchMedia("(prefers-color-scheme: dark)");

/** The colour of a token, such as "current" or "heat-3". */
export function colour(token) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${token}`).trim();
}

/** Calls again when the theme changes. */
export function onTheme(draw) {
  scheme.addEventListener("change", draw);
}
