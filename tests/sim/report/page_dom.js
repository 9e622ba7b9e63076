// SPDX-License-Identifier: BSD-2-Clause
// Runs the script of a page without a browser: node page_dom.js PAGE prints the words of the page,
// a line for each element that has some, and `COUNT name` for each kind of element of its pictures.
// Just as much of a document as tools/pvsim/report/template.js uses.
"use strict";

const fs = require("fs");
const vm = require("vm");

const page = fs.readFileSync(process.argv[2], "utf8");
const data = page.match(/<script type="application\/json" id="data">([^]*?)<\/script>/)[1];
const script = page.match(/<script>([^]*?)<\/script>/)[1];
const counts = {};

class Node {
	constructor(name) {
		Object.assign(this, { name, attributes: {}, children: [], listeners: {}, style: {} });
		this.hidden = false;
		this.clientWidth = 1000;
	}

	setAttribute(key, value) {
		if (String(value).includes("NaN") || String(value).includes("undefined"))
			throw new Error(`<${this.name} ${key}="${value}">`);
		this.attributes[key] = String(value);
	}

	append(...children) {
		for (const child of children) {
			if (child === null || child === undefined)
				throw new Error(`nothing was put into <${this.name}>`);
			if (!(child instanceof Node) && /\bNaN\b|\bundefined\b|\[object/.test(String(child)))
				throw new Error(`<${this.name}>${child}`);
		}
		this.children.push(...children);
	}

	replaceChildren(...children) {
		this.children = [];
		this.append(...children);
	}

	addEventListener(name, listener) {
		this.listeners[name] = listener;
	}

	querySelectorAll() {
		return [];
	}

	get value() { // of a select: the option that is selected
		const chosen = this.children.find(child => "selected" in child.attributes);
		return (chosen || this.children[0]).attributes.value;
	}

	get words() {
		return this.children.map(child => child instanceof Node ? child.words : String(child)).join("");
	}
}

const observers = [];
const nodes = { data: Object.assign(new Node("script"), { textContent: data }),
	page: new Node("main"), tip: new Node("div") };
const document = { createElement: name => new Node(name), createElementNS: (_, name) => new Node(name),
	getElementById: id => nodes[id], activeElement: null };

vm.runInNewContext(script, { document, console, innerWidth: 1200, innerHeight: 900,
	requestAnimationFrame: draw => draw(),
	ResizeObserver: class {
		constructor(seen) {
			this.seen = seen;
		}

		observe() {
			observers.push(this.seen);
		}
	} });
observers.forEach(seen => seen());

const INLINE = ["b", "s", "i", "em", "span", "code", "small"];

function print(node) {
	counts[node.name] = (counts[node.name] || 0) + 1;
	const children = node.children.filter(child => child instanceof Node);
	const text = node.children.some(child => !(child instanceof Node)) ||
		children.some(child => INLINE.includes(child.name));
	if (text && node.words.trim())
		console.log(node.words.trim().replace(/\s+/g, " "));
	children.filter(child => !text || !INLINE.includes(child.name)).forEach(print);
}

print(nodes.page);
for (const [name, count] of Object.entries(counts))
	console.log(`COUNT ${name} ${count}`);
