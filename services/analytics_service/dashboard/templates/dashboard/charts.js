// Draws the specifications of the page with its own colours. Without this the tables say the same.
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const coloured = (_, value) =>
  typeof value === "string" && value.startsWith("var(--") ? colour(value.slice(4, -1)) : value;

function config(element) {
  const ink = colour("--ink"), muted = colour("--muted"), line = colour("--line");
  const ramp = [1, 3, 5, 7, 9].map((step) => colour(`--heat-${step}`));
  return {
    background: null, aria: false, font: colour("--sans"),
    view: { stroke: null },
    axis: { labelColor: muted, titleColor: muted, gridColor: line, domainColor: line, tickColor: line,
            labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", labelLimit: 160 },
    legend: { labelColor: ink, titleColor: muted, labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal",
              ...(element.parentElement.clientWidth < 480 && { columns: 1 }) },
    bar: { color: colour("--series-1") },
    rule: { color: muted },
    geoshape: { stroke: colour("--panel") },
    range: { category: ["--series-1", "--series-2", "--series-4"].map(colour), heatmap: ramp, ramp },
  };
}

async function drawOne(element) {
  const source = document.getElementById(`spec-${element.dataset.chart}`);
  if (!source) return;
  // `ast` interprets expressions instead of compiling them: the page's policy forbids eval.
  await window.vegaEmbed(element, JSON.parse(source.textContent, coloured), {
    config: config(element), ast: true, actions: false, renderer: "svg", defaultStyle: false,
    tooltip: { disableDefaultStyle: true },
  });
  // An image with the name of its section: the table under it is what is read aloud.
  element.setAttribute("role", "img");
  element.removeAttribute("aria-roledescription");
  element.removeAttribute("aria-label");
}

// The table says the same: it is opened where a chart cannot be drawn.
function openTable(element) {
  const details = element.parentElement.querySelector("details");
  if (details) details.open = true;
}

function draw() {
  for (const element of document.querySelectorAll("[data-chart]")) {
    if (!window.vegaEmbed) openTable(element);
    else drawOne(element).catch((failure) => { console.error(failure); openTable(element); });
  }
}

draw();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
