"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function config() {
  const axis = { labelColor: colour("--soft"), titleColor: colour("--soft"), gridColor: colour("--line"),
    domainColor: colour("--line"), tickColor: colour("--line"), labelFontSize: 12, titleFontSize: 12, titleFontWeight: 400 };
  const series = Array.from({ length: 8 }, (_, number) => colour(`--p${number}`));
  return { aria: false, background: null, font: "system-ui, sans-serif", view: { stroke: null }, axis,
    axisY: { minExtent: 44, domain: false, ticks: false }, range: { category: series } };
}

async function draw(section) {
  const { charts, points, marks } = data[Number(section.dataset.session)];
  const places = section.querySelectorAll(".chart");
  for (const [number, spec] of charts.entries()) {
    const whole = { ...spec, datasets: { points, marks }, autosize: { type: "fit-x", contains: "padding" } };
    // ast: expressions are interpreted, so that the page may forbid code made from strings
    await vegaEmbed(places[number], whole, { mode: "vega-lite", ast: true, actions: false, renderer: "svg",
      defaultStyle: false, tooltip: { disableDefaultStyle: true }, config: config() });
  }
  section.dataset.drawn = "yes";
}

const sections = [...document.querySelectorAll("[data-session]")];
for (const section of sections) {
  section.addEventListener("toggle", () => { if (section.open && !section.dataset.drawn) draw(section); });
  if (section.open) draw(section);
}
dark.addEventListener("change", () => sections.filter((section) => section.dataset.drawn).forEach(draw));
