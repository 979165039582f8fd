"use strict";
// Lists of messages: those to look into, and those that a second model answers otherwise.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const PAGE = 10;
  // Texts of users only ever become text nodes.
  const make = (name, className, ...children) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    element.append(...children.filter((child) => child !== null && child !== ""));
    return element;
  };
  const said = (text) => {
    const element = make("bdi", "", text);
    element.dir = "auto";
    return element;
  };
  // A narrow column may break an intent's name behind its signs.
  const intent = (name) => make("span", "intent", ...(name ?? "none").split(/(?<=[_/.+-])/).flatMap((part) => [part, make("wbr")]));
  const percent = (value) => `${(100 * value).toFixed(0)}%`;
  const signed = (value) => `${value < 0 ? "\u2212" : "+"}${Math.abs(value).toFixed(2)}`;
  const tint = (name, share) => `color-mix(in srgb, var(--${name}) ${Math.round(share)}%, var(--paper))`;

  function token([text, layer]) {
    const element = make("span", layer === null ? "token kept" : "token", said(text));
    const depth = layer === null ? 1 : (layer + 0.5) / data.n_layers;
    element.style.background = tint("accent", 34 * depth);
    if (layer !== null) element.append(make("sub", "", String(layer)));
    element.title = layer === null ? "kept to the end" : `pruned after layer ${layer}`;
    return element;
  }

  function ngram([text, score]) {
    const element = make("span", "ngram", said(text), make("small", "", signed(score)));
    element.style.background = tint(score < 0 ? "alarm" : "accent", Math.min(34, 6 + 28 * Math.abs(score)));
    return element;
  }

  function evidence(item) {
    const list = make("dl", "evidence", make("dt", "", "Tokens"), make("dd", "", ...item.tokens.map(token)));
    for (const each of item.intents) {
      const nearest = each.example === null ? "" : make("div", "", each.is_name ? "nearest: the intent's name, " : "nearest example: ", said(each.example), `, similarity ${each.similarity.toFixed(2)}`);
      const parts = make("div", "tag", `embedding ${signed(each.embedding)}`, each.words === null ? "" : `, words ${signed(each.words)}`);
      list.append(make("dt", "", intent(each.name), " ", percent(each.confidence)), make("dd", "", nearest, ...each.ngrams.map(ngram), parts));
    }
    return list;
  }

  const GROUPS = { wrong: "wrong", unsure: "below the threshold", sample: "answered" };
  function message(item) {
    const verdict = make("p", "verdict", item.group === "wrong" ? make("strong", "bad", "wrong: ") : "", "answered ", intent(item.predicted), `, confidence ${item.confidence.toFixed(2)}`);
    if (item.intent !== null && item.intent !== item.predicted) verdict.append("; right is ", intent(item.intent));
    if (!item.accepted) verdict.append("; below the threshold, so the bot falls back");
    verdict.append(make("span", "tag", ` · ${item.source === "training" ? "example, held out" : item.source}`));
    return make("li", "message", make("p", "text", said(item.text)), verdict, evidence(item));
  }

  // Without a label nobody knows which of two answers is right: two columns would be empty.
  const isLabelled = data.differences.some((row) => row.intent !== null);

  function difference(row) {
    const cell = (label, className, ...children) => {
      const element = make("td", className, ...children);
      element.dataset.label = label;
      return element;
    };
    const verdict = row.verdict === "worse" ? make("strong", "bad", "worse") : row.verdict;
    const right = isLabelled ? [cell("Right", "", row.intent === null ? "" : intent(row.intent))] : [];
    const change = isLabelled ? [cell("Change", "", verdict)] : [];
    return make("tr", "", cell("Message", "", row.text === null ? make("span", "tag", "left out") : said(row.text)),
      ...right, cell("First", "", intent(row.before), ` ${row.confidence_before.toFixed(2)}`),
      cell("Second", "", intent(row.after), ` ${row.confidence_after.toFixed(2)}`), ...change);
  }

  function list(name, items, render, fields) {
    const place = document.getElementById(`${name}-list`);
    if (!place) return;
    const controls = document.querySelector(`.controls[data-for="${name}"]`);
    const more = document.querySelector(`button[data-more="${name}"]`);
    const [search, count] = [controls.querySelector("input[type=search]"), controls.querySelector("output")];
    const selects = [...controls.querySelectorAll("select")];
    const words = items.map((item) => fields.map((field) => item[field] ?? "").join("\n").toLowerCase());
    for (const select of selects) {
      const values = [...new Set(items.map((item) => item[select.name]))].filter((value) => value !== null).sort();
      for (const value of values) select.append(new Option(GROUPS[value] ?? value, value));
    }
    let shown = PAGE;
    function show() {
      const wanted = search.value.trim().toLowerCase();
      const found = items.filter((item, number) => words[number].includes(wanted) && selects.every((select) => !select.value || item[select.name] === select.value));
      place.replaceChildren(...found.slice(0, shown).map(render));
      count.textContent = `${found.length} of ${items.length}`;
      more.hidden = found.length <= shown;
    }
    const restart = () => { shown = PAGE; show(); };
    search.addEventListener("input", restart);
    selects.forEach((select) => select.addEventListener("change", restart));
    more.addEventListener("click", () => {
      const before = shown;
      shown += PAGE;
      show();
      // The keyboard goes on where the list goes on.
      const next = place.children[before];
      if (next) { next.tabIndex = -1; next.focus({ preventScroll: true }); }
    });
    show();
  }

  list("messages", data.messages, message, ["text", "intent", "predicted"]);
  list("differences", data.differences, difference, ["text", "intent", "before", "after"]);
})();
