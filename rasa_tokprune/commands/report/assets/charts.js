"use strict";
// The charts. Colours are variables of the style sheet, so that a change of theme needs no redraw.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const colour = (point) => `var(--plan-${point.has_colour ? point.plan : "other"})`;
  const percent = (value) => `${Math.round(100 * value)}%`;
  const STYLE = { fontSize: "13px", fontFamily: "inherit", background: "transparent", color: "var(--ink)" };
  const GRID = { stroke: "var(--line)", strokeOpacity: 1 };
  const HALO = { stroke: "var(--paper)", strokeWidth: 4, paintOrder: "stroke" };

  // A part of the scale that holds all values, with room to read.
  const around = (values, least) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const room = Math.max(0.12 * (high - low), least);
    return [Math.max(0, low - room), Math.min(1, high + room)];
  };

  function plans(width) {
    const points = data.plans.filter((point) => point.accuracy !== null);
    if (!points.length) return null;
    const own = points.filter((point) => point.is_chosen);
    const ends = points.flatMap((point) => [point.accuracy - point.spread, point.accuracy + point.spread]);
    const domain = around(ends, 0.01);
    // Of two points that lie close together the lower one has its name below.
    const isBelow = (point) => points.some((other) => other !== point && other.accuracy > point.accuracy - 1e-9
      && other.accuracy - point.accuracy < 0.14 * (domain[1] - domain[0])
      && Math.abs(other.p50_ms - point.p50_ms) < (64 / width) * 1.18 * slowest);
    const slowest = Math.max(...points.map((point) => point.p50_ms));
    return Plot.plot({
      width, height: Math.min(380, 0.75 * width + 60), marginLeft: 48, marginRight: 24, marginBottom: 44, marginTop: 28, style: STYLE,
      x: { domain: [0, 1.18 * slowest], label: "median time to encode a message, ms", labelAnchor: "center", labelArrow: "none", ticks: width < 480 ? 4 : 6, tickSize: 0 },
      y: { domain, label: "right intent", tickFormat: percent, labelArrow: "none", ticks: 5, tickSize: 0 },
      marks: [
        Plot.gridY({ ...GRID, ticks: 5 }),
        Plot.ruleX(points, { x: "p50_ms", y1: (d) => d.accuracy - d.spread, y2: (d) => d.accuracy + d.spread, stroke: colour, strokeOpacity: 0.45, strokeWidth: 2 }),
        Plot.dot(own, { x: "p50_ms", y: "accuracy", r: 11, stroke: "var(--ink)", strokeWidth: 1.5 }),
        Plot.dot(points, { x: "p50_ms", y: "accuracy", r: 6, fill: colour }),
        ...[-18, 20].map((dy) => Plot.text(points.filter((point) => (dy > 0) === isBelow(point)), { x: "p50_ms", y: "accuracy", text: (d) => d.plan, dy, fill: colour, fontWeight: (d) => (d.is_chosen ? 700 : 500), fontSize: 14, ...HALO })),
      ],
    });
  }

  function calibration(width) {
    if (!data.bins.length) return null;
    const most = Math.max(...data.bins.map((bin) => bin.count));
    return Plot.plot({
      width, height: Math.min(340, width), marginLeft: 48, marginRight: 20, marginBottom: 44, marginTop: 28, style: STYLE,
      x: { domain: [0, 1], label: "confidence", labelAnchor: "center", labelArrow: "none", tickFormat: percent, ticks: 5, tickSize: 0 },
      y: { domain: [0, 1], label: "answers that are right", labelArrow: "none", tickFormat: percent, ticks: 5, tickSize: 0 },
      r: { domain: [0, most], range: [2, 12] },
      marks: [
        Plot.gridY({ ...GRID, ticks: 5 }),
        Plot.line([[0, 0], [1, 1]], { stroke: "var(--faint)", strokeDasharray: "4 4" }),
        // A handful of messages says nothing of its tenth.
        Plot.line(data.bins.filter((bin) => bin.count >= 5), { x: "confidence", y: "accuracy", stroke: "var(--accent)", strokeWidth: 2 }),
        Plot.dot(data.bins, { x: "confidence", y: "accuracy", r: "count", fill: "var(--accent)", fillOpacity: 0.85 }),
        Plot.text([[0.2, 0.2]], { text: ["as it should be"], dx: 10, dy: 8, textAnchor: "start", fill: "var(--faint)", ...HALO }),
      ],
    });
  }

  function coverage(width) {
    if (!data.curve.length) return null;
    const lines = [
      ["coverage", "answered", "var(--accent)", 0.75],
      ["accuracy", "right, of the answered", "var(--plan-light)", 0.02],
      ["out_of_scope_recall", "out of scope, rejected", "var(--alarm)", 0.6],
    ].filter(([key]) => data.curve.some((entry) => entry[key] !== null));
    const marks = lines.map(([key, , stroke], number) =>
      Plot.line(data.curve.filter((entry) => entry[key] !== null), { x: "threshold", y: key, stroke, strokeWidth: 2, strokeDasharray: ["", "6 3", "2 3"][number] }));
    const labels = lines.map(([key, text, fill, place], number) => {
      const entry = data.curve.find((each) => each.threshold === place && each[key] !== null);
      return entry && Plot.text([entry], { x: "threshold", y: key, text: [text], dx: [0, 0, 10][number], dy: [-12, 18, 6][number], fill, fontWeight: 600, textAnchor: ["middle", "start", "start"][number], ...HALO });
    }).filter(Boolean);
    const at = data.curve.find((entry) => entry.threshold === 0.5);
    const dots = lines.filter(([key]) => at[key] !== null).map(([key, , fill]) => Plot.dot([at], { x: "threshold", y: key, r: 4, fill }));
    return Plot.plot({
      width, height: Math.min(340, width), marginLeft: 48, marginRight: 20, marginBottom: 44, marginTop: 28, style: STYLE,
      x: { domain: [0, 1], label: "threshold", labelAnchor: "center", labelArrow: "none", ticks: 5, tickSize: 0 },
      y: { domain: [0, 1], label: "share of messages", labelArrow: "none", tickFormat: percent, ticks: 5, tickSize: 0 },
      marks: [Plot.gridY({ ...GRID, ticks: 5 }), Plot.ruleX([0.5], { stroke: "var(--faint)", strokeDasharray: "4 4" }), ...marks, ...dots, ...labels],
    });
  }

  const DRAWN = { plans, calibration, coverage };
  function draw(place) {
    const width = Math.floor(place.clientWidth);
    if (!width || place.dataset.width === String(width)) return;
    place.dataset.width = String(width);
    const chart = DRAWN[place.dataset.chart](width);
    if (chart === null) return;
    // The place itself is what is read aloud; see its label and the table below it.
    chart.setAttribute("aria-hidden", "true");
    place.replaceChildren(chart);
  }
  const observer = new ResizeObserver((entries) => entries.forEach((entry) => draw(entry.target)));
  document.querySelectorAll("[data-chart]").forEach((place) => { draw(place); observer.observe(place); });
})();
