/* A hue is a thread; magenta, amber and red are kept for what matters. */
const HUES = [215, 160, 265, 190, 130, 235, 85, 285, 175, 205];

let theme = "light", css = {};
function colourOf(t, what) {
  const h = HUES[t % HUES.length], far = Math.floor(t / HUES.length) % 3;
  const dark = theme === "dark";
  switch (what) {
  case "solid": return `hsl(${h} ${dark ? 52 : 56}% ${(dark ? 56 : 47) + far * 7}%)`;
  case "soft": return `hsl(${h} ${dark ? 32 : 60}% ${(dark ? 29 : 86) - far * 4}%)`;
  case "edge": return `hsl(${h} ${dark ? 45 : 48}% ${(dark ? 68 : 38) + far * 5}%)`;
  default: return `hsl(${h} ${dark ? 24 : 55}% ${dark ? 21 : 94}%)`;
  }
}

/* Looked up once for each theme. */
let palette = [];
function readTheme() {
  const style = getComputedStyle(document.documentElement);
  css = {};
  for (const name of ["bg", "panel", "ink", "muted", "line", "faint", "accent", "critical", "preempt", "bad", "hit"])
    css[name] = style.getPropertyValue("--" + name).trim();
  palette = run.threads.map((_, t) => ({
    solid: colourOf(t, "solid"), soft: colourOf(t, "soft"), edge: colourOf(t, "edge"), faint: colourOf(t, "faint"),
  }));
}

function remembered(key, value) {
  try {
    if (value === undefined)
      return localStorage.getItem(key);
    localStorage.setItem(key, value);
  } catch {
    /* Files have no storage in some browsers. */
  }
  return null;
}

const darkSystem = matchMedia("(prefers-color-scheme: dark)");
function setTheme(name) {
  theme = name || (darkSystem.matches ? "dark" : "light");
  document.documentElement.dataset.theme = theme;
  readTheme();
}
function toggleTheme() {
  remembered("seam-theme", theme === "dark" ? "light" : "dark");
  setTheme(theme === "dark" ? "light" : "dark");
  layout();
}
darkSystem.addEventListener("change", () => {
  setTheme(remembered("seam-theme"));
  layout();
});
