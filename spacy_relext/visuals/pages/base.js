// What all pages share. All text is set as text nodes, so that nothing of a corpus is parsed as HTML.
"use strict";
const get = id => document.getElementById(id);
const all = (root, query) => [...root.querySelectorAll(query)];
const data = JSON.parse(get("data")?.textContent ?? "null");
function make(tag, cls, ...parts) {
  const element = document.createElement(tag);
  if (cls) element.className = cls;
  element.append(...parts);
  return element;
}
// Cuts a text of some length where spans [start, end, name] begin or end, and lists the spans over each piece.
function cut(length, spans) {
  const cuts = [...new Set([0, length, ...spans.flatMap(span => span.slice(0, 2))])].sort((a, b) => a - b);
  return cuts.slice(1).map((end, at) => [cuts[at], end, spans.filter(span => span[0] <= cuts[at] && end <= span[1])]);
}
// A text whose arguments, spans [start, end, role], are marked.
const markText = (text, spans) => cut(text.length, spans).map(([start, end, over]) => over.length
  ? make("mark", over.map(span => span[2]).join(" "), text.slice(start, end)) : text.slice(start, end));
const isolate = text => make("bdi", "", text);  // so that marks of direction in it do not reorder what stands around
// The parts of a triple: marked subject → relation → marked object.
const tripleParts = (subject, relation, object) => [
  make("mark", "subject", isolate(subject)), " → ", relation, " → ", make("mark", "object", isolate(object))];
