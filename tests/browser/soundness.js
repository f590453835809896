// What is wrong with the page as it stands, in words; called in the page with its widths and scheme.
() => {
  const faults = { structure: [], contrast: [] };
  const say = (kind, words, element) =>
    faults[kind].push(`${words}: ${(element?.outerHTML ?? "").replace(/\s+/g, " ").slice(0, 120)}`);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const shown = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });

  if (all("h1").length !== 1) faults.structure.push(`${all("h1").length} h1`);
  if (!document.title.trim()) faults.structure.push("no title");
  const ids = all("[id]").map((element) => element.id);
  for (const id of ids.filter((each, place) => ids.indexOf(each) !== place)) faults.structure.push(`id ${id} twice`);
  for (const field of all("input:not([type=hidden]), select, textarea"))
    if (!field.labels?.length && !field.getAttribute("aria-label")) say("structure", "no label", field);
  for (const control of all("a[href], button, summary"))
    if (!control.textContent.trim() && !control.getAttribute("aria-label")) say("structure", "no words", control);
  for (const anchor of all("a[href^='#']"))
    if (!document.getElementById(decodeURIComponent(anchor.hash.slice(1)))) say("structure", "leads nowhere", anchor);
  for (const table of all("table:not(#vg-tooltip-element table)"))
    if (!table.caption?.textContent.trim()) say("structure", "no caption", table);
  for (const head of all("table:not(#vg-tooltip-element table) th"))
    if (!head.scope) say("structure", "no scope", head);
  for (const box of all(".table-wrap, pre"))
    if (box.scrollWidth > box.clientWidth + 1 && box.tabIndex < 0 && !box.querySelector("a, button, input"))
      say("structure", "not to be scrolled by keyboard", box);
  for (const time of all("time"))
    if (Number.isNaN(Date.parse(time.dateTime))) say("structure", "no datetime", time);
  for (const image of all("img:not([alt]), svg:not([aria-hidden]):not([role]), iframe:not([title])"))
    if (!image.closest("[role=img]")) say("structure", "no alternative", image);

  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const rgba = (text) => {
    if (!known.has(text)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = text;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
      known.set(text, [r, g, b, a / 255]);
    }
    return known.get(text);
  };
  const over = (top, below) => top.slice(0, 3).map((v, i) => v * top[3] + below[i] * (1 - top[3]));
  const ground = (element) => {
    if (!element) return rgba("Canvas").slice(0, 3);
    const own = rgba(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, ground(element.parentElement));
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (seen.has(element) || !/[\p{L}\p{N}]/u.test(walker.currentNode.data)) continue;
    seen.add(element);
    if (element.closest("svg, script, style, noscript, .visually-hidden") || !shown(element)) continue;
    const style = getComputedStyle(element);
    const below = ground(element);
    const [a, b] = [light(over(rgba(style.color), below)), light(below)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) say("contrast", ratio.toFixed(2), element);
  }
  return faults;
}
