/* A hue is a thread; magenta, amber and red are kept for what matters. */
const TONES = [
  [214, 56, 47], [168, 58, 36], [268, 46, 57], [196, 72, 50], [128, 36, 43],
  [225, 14, 47], [66, 48, 37], [290, 38, 60], [232, 58, 36], [150, 46, 56],
];

let theme = "light", css = {};
function colourOf(t, what) {
  const [h, s, base] = TONES[t % TONES.length];
  const dark = theme === "dark", l = Math.min(72, base + (Math.floor(t / TONES.length) % 3) * 7);
  switch (what) {
  case "solid": return `hsl(${h} ${s}% ${dark ? 44 + l * 0.4 : l}%)`;
  case "soft": return `hsl(${h} ${dark ? s * 0.6 : s}% ${dark ? 17 + l * 0.22 : 80 + l * 0.14}%)`;
  default: return `hsl(${h} ${s}% ${dark ? 58 + l * 0.3 : l * 0.82}%)`;
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
    solid: colourOf(t, "solid"), soft: colourOf(t, "soft"), edge: colourOf(t, "edge"),
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
  for (const d of document.querySelectorAll("[data-thread]"))
    d.style.background = palette[d.dataset.thread].solid;
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
