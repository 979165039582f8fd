"use strict";
// Names at what they name: each takes the first of its places that is free.
const placeLabels = (() => {
  const LETTER = 8.6, HEIGHT = 16;
  const boxOf = ({ x, y, anchor }, text) => {
    const width = LETTER * text.length;
    const left = anchor === "start" ? x : anchor === "end" ? x - width : x - width / 2;
    return { left, right: left + width, top: y - HEIGHT / 2, bottom: y + HEIGHT / 2 };
  };
  const overlap = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const around = ([x, y], r) => ({ left: x - r, right: x + r, top: y - r, bottom: y + r });

  // labels: {text, places: [{x, y, anchor}]}; points: [x, y] in the way; frame: left, right, top, bottom.
  return (labels, points, frame) => {
    const taken = [];
    const inTheWay = points.map(([x, y, r]) => around([x, y], r));
    return labels.map(({ text, places }) => {
      const cost = (place) => {
        const box = boxOf(place, text);
        const outside = box.left < frame.left || box.right > frame.right || box.top < frame.top || box.bottom > frame.bottom;
        return 100 * outside + 50 * taken.filter((other) => overlap(box, other)).length + inTheWay.filter((other) => overlap(box, other)).length;
      };
      const best = places.reduce((a, b) => (cost(b) < cost(a) ? b : a));
      taken.push(boxOf(best, text));
      return best;
    });
  };
})();
