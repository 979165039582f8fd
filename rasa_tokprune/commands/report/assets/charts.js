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

  const MARGINS = { marginLeft: 48, marginRight: 24, marginBottom: 44, marginTop: 28 };
  const scales = (width, height, [x0, x1], [y0, y1]) => {
    const frame = { left: 48, right: width - 4, top: 14, bottom: height - 44 };
    return {
      frame,
      x: (value) => 48 + ((value - x0) / (x1 - x0)) * (width - 72),
      y: (value) => height - 44 - ((value - y0) / (y1 - y0)) * (height - 72),
    };
  };
  const names = (labels, places, fill) => labels.map((text, number) => {
    const { anchor, dx, dy, point } = places[number];
    return Plot.text([point], { x: (d) => d[0], y: (d) => d[1], text: [text], dx, dy, textAnchor: anchor, fill: fill(number), fontWeight: 600, fontSize: 14, ...HALO });
  });

  function plans(width) {
    const points = data.plans.filter((point) => point.accuracy !== null);
    if (!points.length) return null;
    const own = points.filter((point) => point.is_chosen);
    const ends = points.flatMap((point) => [point.accuracy - point.spread, point.accuracy + point.spread]);
    const height = Math.min(380, 0.75 * width + 60);
    const across = [0, 1.18 * Math.max(...points.map((point) => point.p50_ms))];
    const up = around(ends, 0.01);
    const { x, y, frame } = scales(width, height, across, up);
    const labels = points.map((point) => {
      const [px, py] = [x(point.p50_ms), y(point.accuracy)];
      const ways = [[0, -20, "middle"], [0, 20, "middle"], [16, 0, "start"], [-16, 0, "end"], [14, -16, "start"], [14, 16, "start"], [-14, -16, "end"], [-14, 16, "end"], [0, -36, "middle"], [0, 36, "middle"]];
      return { text: point.plan, places: ways.map(([dx, dy, anchor]) => ({ x: px + dx, y: py + dy, dx, dy, anchor, point: [point.p50_ms, point.accuracy] })) };
    });
    const placed = placeLabels(labels, points.map((point) => [x(point.p50_ms), y(point.accuracy), 7]), frame);
    return Plot.plot({
      width, height, ...MARGINS, style: STYLE,
      x: { domain: across, label: "median time to encode a message, ms", labelAnchor: "center", labelArrow: "none", ticks: width < 480 ? 4 : 6, tickSize: 0 },
      y: { domain: up, label: "right intent", tickFormat: percent, labelArrow: "none", ticks: 5, tickSize: 0 },
      marks: [
        Plot.gridY({ ...GRID, ticks: 5 }),
        Plot.ruleX(points, { x: "p50_ms", y1: (d) => d.accuracy - d.spread, y2: (d) => d.accuracy + d.spread, stroke: colour, strokeOpacity: 0.45, strokeWidth: 2 }),
        Plot.dot(own, { x: "p50_ms", y: "accuracy", r: 11, stroke: "var(--ink)", strokeWidth: 1.5 }),
        Plot.dot(points, { x: "p50_ms", y: "accuracy", r: 6, fill: colour }),
        ...names(points.map((point) => point.plan), placed, (number) => colour(points[number])),
      ],
    });
  }

  function calibration(width) {
    if (!data.bins.length) return null;
    const most = Math.max(...data.bins.map((bin) => bin.count));
    return Plot.plot({
      width, height: Math.min(340, width), ...MARGINS, style: STYLE,
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
      ["coverage", "answered", "var(--accent)", ""],
      ["accuracy", "right, of the answered", "var(--plan-light)", "6 3"],
      ["out_of_scope_recall", "out of scope, rejected", "var(--alarm)", "2 3"],
    ].map(([key, text, stroke, dash]) => ({ text, stroke, dash, points: data.curve.filter((entry) => entry[key] !== null).map((entry) => [entry.threshold, entry[key]]) }))
      .filter(({ points }) => points.length);
    const height = Math.min(340, width);
    const { x, y, frame } = scales(width, height, [0, 1], [0, 1]);
    const labels = lines.map(({ text, points }) => ({
      text,
      places: points.filter((_, number) => number % 5 === 0).flatMap((point) => [[0, -13, "middle"], [0, 15, "middle"], [9, 0, "start"], [-9, 0, "end"]]
        .map(([dx, dy, anchor]) => ({ x: x(point[0]) + dx, y: y(point[1]) + dy, dx, dy, anchor, point }))),
    }));
    const inTheWay = lines.flatMap(({ points }) => points.map((point) => [x(point[0]), y(point[1]), 3]));
    for (let level = 0; level <= 1; level += 0.02) inTheWay.push([x(0.5), y(level), 2]);
    const placed = placeLabels(labels, inTheWay, frame);
    return Plot.plot({
      width, height, ...MARGINS, style: STYLE,
      x: { domain: [0, 1], label: "threshold", labelAnchor: "center", labelArrow: "none", ticks: 5, tickSize: 0 },
      y: { domain: [0, 1], label: "share of messages", labelArrow: "none", tickFormat: percent, ticks: 5, tickSize: 0 },
      marks: [
        Plot.gridY({ ...GRID, ticks: 5 }),
        Plot.ruleX([0.5], { stroke: "var(--faint)", strokeDasharray: "4 4" }),
        ...lines.map(({ points, stroke, dash }) => Plot.line(points, { stroke, strokeWidth: 2, strokeDasharray: dash })),
        ...lines.map(({ points, stroke }) => Plot.dot(points.filter(([threshold]) => threshold === 0.5), { r: 4, fill: stroke })),
        ...names(lines.map(({ text }) => text), placed, (number) => lines[number].stroke),
      ],
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
