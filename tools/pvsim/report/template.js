// SPDX-License-Identifier: BSD-2-Clause
// The page of a pvsim report: reads the data beside it, writes words, tables and pictures.
// Sections are made in the order in which they are read; see show() at the end.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const RUNS = DATA.runs;
const BASE = DATA.base >= 0 ? RUNS[DATA.base] : null;
const SUBJECT = DATA.subject >= 0 ? RUNS[DATA.subject] : null;
const WINDOW = DATA.window || { from: 0, length: 0, threads: [], tasks: [] };
const FOCUS = find_focus();
const KIND = WINDOW.kind || "plain"; // job, spin or plain: what the window is about
prepare_window();

// ---- small things ------------------------------------------------------------------------------

function make(name, attributes, ...children) {
	const node = document.createElement(name);
	return fill(node, attributes, children);
}

function draw(name, attributes, ...children) {
	const node = document.createElementNS("http://www.w3.org/2000/svg", name);
	return fill(node, attributes, children);
}

function fill(node, attributes, children) {
	for (const [key, value] of Object.entries(attributes || {}))
		if (value !== null && value !== undefined)
			node.setAttribute(key, value);
	node.append(...children.flat().filter(child => child !== null && child !== undefined));
	return node;
}

// A time as people say it: three digits at most.
function time(ns) {
	if (ns === null || ns === undefined || !isFinite(ns))
		return "–";
	const sign = ns < 0 ? "−" : "";
	const size = Math.abs(ns);
	const units = [[999.5, 1, "ns"], [999500, 1e3, "µs"], [999.5e6, 1e6, "ms"],
		[Infinity, 1e9, "s"]];
	const [, unit, name] = units.find(([limit]) => size < limit);
	const value = size / unit;
	const digits = value >= 99.95 || unit === 1 ? 0 : value >= 9.995 ? 1 : 2;
	const shown = value.toFixed(digits);
	return `${sign}${shown.includes(".") ? shown.replace(/\.?0+$/, "") : shown} ${name}`;
}

function whole(value) {
	return Math.round(value).toLocaleString("en");
}

function number(value) {
	if (value === null || value === undefined || !isFinite(value))
		return "–";
	if (Number.isInteger(value))
		return whole(value);
	return Math.abs(value) >= 1000 ? whole(value) : String(+value.toPrecision(4));
}

function percent(value, digits = 1) {
	return `${(100 * value).toFixed(digits)} %`;
}

function plural(count, one, many) {
	return `${count === 0 ? "no" : whole(count)} ${count === 1 ? one : many || one + "s"}`;
}

function quantity(value, unit) {
	switch (unit) {
	case 1: return time(value);
	case 2: return percent(value / 1e6, 2);
	case 3: return value >= 1e9 ? `${number(value / 1e9)} J` : `${number(value / 1e6)} mJ`;
	default: return whole(value);
	}
}

function row(run, name) {
	return run && name in run.rows ? run.rows[name][0] : null;
}

function colour(run) {
	const index = RUNS.indexOf(run);
	if (run === BASE)
		return "var(--run-0)";
	if (run === SUBJECT)
		return "var(--run-1)";
	return `var(--run-${2 + Math.max(index - (BASE ? 2 : 1), 0) % 3})`;
}

function title_of(run) {
	const alone = RUNS.filter(other => other.policy === run.policy).length === 1;
	return run.name === run.policy || (alone && ["with", "base"].includes(run.name)) ?
		run.policy : `${run.name}: ${run.policy}`;
}

// In a sentence.
function short_title(run) {
	return title_of(run) === run.policy || ["with", "base"].includes(run.name) ? run.policy :
		`“${run.name}”`;
}

function swatch(run) {
	return make("span", { class: "swatch", style: `background:${colour(run)}` });
}

// ---- who the report is about ---------------------------------------------------------------------

// { vm, task, name, metric, deadline, spec }: the task, and which of its latencies.
function find_focus() {
	const found = DATA.focus || urgent_task() || any_task();
	if (!found)
		return null;
	const vm = DATA.scenario.vms.find(v => v.name === found.vm);
	const spec = (vm ? vm.tasks : DATA.scenario.host).find(t => t.name === found.task) || {};
	const path = `task.${found.vm}/${found.task}`;
	return { vm: found.vm, task: found.task, name: found.task, path, spec,
		deadline: spec.deadline || 0, metric: metric_of(path, spec) };
}

function urgent_task() {
	const all = DATA.scenario.vms.flatMap(vm => vm.tasks.map(task =>
		({ vm: vm.name, task: task.name, urgency: task.urgency })));
	all.sort((a, b) => b.urgency - a.urgency);
	return all.length && all[0].urgency >= 4 ? all[0] : null;
}

function any_task() {
	const vm = DATA.scenario.vms.find(v => v.tasks.length);
	return vm ? { vm: vm.name, task: vm.tasks[0].name } : null;
}

// The latency that the verdict speaks of; else the one that a deadline is about.
function metric_of(path, spec) {
	const kinds = ["response", "wakeup", "lock", "ipi"];
	const there = kinds.filter(kind => RUNS.some(run => `${path}.${kind}` in run.hists));
	const spoken = there.find(kind => DATA.asserts.some(a => a.text.includes(`${path}.${kind}`)));
	if (spoken)
		return spoken;
	return spec.deadline ? there[0] : there.find(kind => kind === "wakeup") || there[0] || null;
}

const METRICS = {
	response: ["response", "from when its job should begin to when it is done"],
	wakeup: ["wake-up", "from when it should run to when it does"],
	lock: ["lock", "from asking for a lock to having it"],
	ipi: ["IPI", "from sending an interrupt to the last answer"],
	waits: ["wait for a CPU", "each time it could run and had to wait for a CPU"],
};

function focus_hist(run) {
	return run && FOCUS && FOCUS.metric ? run.hists[`${FOCUS.path}.${FOCUS.metric}`] || null : null;
}

function focus_row(run, what) {
	return FOCUS ? row(run, `${FOCUS.path}.${what}`) : null;
}

// ---- what the verdict speaks of -----------------------------------------------------------------

// Rows in the order in which the checks name them, without their run: `vm.thief.share`.
function spoken_rows() {
	const names = new Set();
	for (const text of DATA.asserts.concat(DATA.figures).map(a => a.text))
		for (const [, name] of text.matchAll(/\b[A-Za-z][\w-]*\.((?:task|vm|host|pvs)\.[\w./-]+)/g))
			names.add(name);
	return [...names].filter(name => !/\.(jobs|count|samples)$/.test(name));
}

// The checks are about how soon the task in focus is served; else about something else.
function is_about_latency() {
	if (!FOCUS)
		return false;
	const kinds = ["misses", "response", "wakeup", "lock", "ipi"];
	return !DATA.asserts.length || spoken_rows().some(name =>
		kinds.some(kind => name.startsWith(`${FOCUS.path}.${kind}`)));
}

// A row, or a number of a histogram (`.p99`); [value, unit] or null.
function value_of(run, name) {
	if (!run)
		return null;
	if (name in run.rows)
		return run.rows[name];
	const dot = name.lastIndexOf("."), hist = run.hists[name.slice(0, dot)];
	const field = name.slice(dot + 1);
	return hist && field in hist ? [hist[field], field === "count" ? 0 : 1] : null;
}

const ROW_WORDS = { share: "share of all CPU time", cpus: "CPUs used", run: "CPU time", wait:
	"time waited for a CPU", boosted: "boosted time", preempted: "times preempted", waits: "wait",
	misses: "missed deadlines", work: "work done", loops: "rounds done", spin: "time spun",
	held_preempted: "preempted with a lock held", locks: "locks taken", energy: "energy (proxy)",
	fairness_error: "unfairness, at most", busy: "CPU time used", idle: "idle CPU time",
	switches: "context switches", boosts: "boosts", denials: "boosts denied",
	wakeup: "wake-up", response: "response", lock: "wait for a lock", ipi: "wait for an IPI" };
const QUANTILES = { max: "longest", min: "shortest", mean: "mean", p50: "typical", p90: "p90 of",
	p99: "p99 of", p999: "p99.9 of" };

// "VM thief: share of all CPU time".
function row_words(name) {
	const parts = name.split("."), field = parts.pop();
	const what = field in QUANTILES ? `${QUANTILES[field]} ${ROW_WORDS[parts[parts.length - 1]] ||
		parts[parts.length - 1]}` : ROW_WORDS[field] || field;
	if (field in QUANTILES)
		parts.pop();
	const who = parts.slice(1).join(".");
	return parts[0] === "vm" ? `VM ${who}: ${what}` : parts[0] === "task" ? `${who}: ${what}` :
		parts[0] === "host" ? `The host: ${what}` : what;
}

function said(pair) {
	return pair === null ? "–" : quantity(...pair);
}

// ---- headline --------------------------------------------------------------------------------------

function sentence(text) {
	const trimmed = (text || "").trim();
	if (!trimmed)
		return "";
	const begun = trimmed[0].toUpperCase() + trimmed.slice(1);
	return /[.!?]$/.test(begun) ? begun : begun + ".";
}

function headline() {
	const s = DATA.scenario;
	const seconds = time(RUNS.length ? RUNS[0].until : s.duration);
	const vcpus = s.vms.reduce((sum, vm) => sum + vm.count * vm.vcpus, 0);
	const facts = `${plural(vcpus, "vCPU")} on ${plural(s.cpus, "CPU")}, ${seconds} of virtual time`;
	return [
		make("p", { class: "eyebrow" }, `pvsim · ${s.name} · ${facts}` +
			(RUNS.length ? `, seed ${RUNS[0].seed}` : "")),
		make("h1", { class: (s.claim || "").length > 100 ? "long" : null },
			sentence(s.claim).replace(/\.$/, "") || s.name),
		make("p", { class: "verdict" }, verdict_pill(), result_words()),
		make("p", { class: "cast soft" }, make("b", {}, "Who is there: "), cast().join(" · ")),
		...failures(),
	];
}

// "VM dom0: audio (real-time, every 16 ms), burner · 35 VMs busy: burner".
function cast() {
	const tasks = list => list.map(task => {
		const about = [urgency_words(task) === "normal" ? "" : urgency_words(task),
			task.period ? `every ${time(task.period)}` : ""].filter(word => word).join(", ");
		return `${task.count > 1 ? `${task.count} × ` : ""}${task.name}${about ? ` (${about})` : ""}`;
	}).join(", ");
	const out = DATA.scenario.vms.filter(vm => vm.count).map(vm =>
		`${vm.count > 1 ? `${vm.count} VMs` : "VM"} ${vm.name}` +
		(vm.vcpus > 1 ? ` of ${vm.vcpus} vCPUs${vm.count > 1 ? " each" : ""}` : "") +
		(vm.liar > 1 ? " (lies)" : "") + `: ${tasks(vm.tasks) || "idle"}`);
	if (DATA.scenario.host.length)
		out.push(`on the host: ${tasks(DATA.scenario.host)}`);
	return out;
}

// What is worse than before is red only where no verdict says that it is good enough.
function verdict_holds() {
	return DATA.asserts.length > 0 && DATA.asserts.every(a => a.holds);
}

function verdict_pill() {
	const all = DATA.asserts.length, held = DATA.asserts.filter(a => a.holds).length;
	if (!all)
		return null;
	return held === all ?
		make("span", { class: "pill ok" }, `✓ holds: ${held} of ${all} checks`) :
		make("span", { class: "pill no" }, `✗ does not hold: ${all - held} of ${all} checks fail`);
}

// "VM thief: share of all CPU time 95 % under credit1; with pvs-owning: 50 %."
function spoken_words() {
	const name = spoken_rows().find(row => value_of(SUBJECT, row));
	if (!name)
		return "";
	const before = value_of(BASE, name), after = said(value_of(SUBJECT, name));
	return before ? `${row_words(name)}: ${said(before)} under ${short_title(BASE)}, ${after} with ` +
		`${short_title(SUBJECT)}.` : `${row_words(name)}: ${after} with ${short_title(SUBJECT)}.`;
}

// How many deadlines there were: a task that is late skips some, so jobs are fewer.
function deadlines(run) {
	const jobs = focus_row(run, "jobs"), misses = focus_row(run, "misses");
	const measured = row(run, "host.measured"), { period, count } = FOCUS.spec;
	const all = period && measured ? Math.floor(measured / period) * (count || 1) : jobs;
	return Math.max(all, jobs, misses);
}

// "player misses 61 of 1,250 deadlines with credit2, and none with pvs-owning."
function result_words() {
	if (!is_about_latency() || !RUNS.length)
		return spoken_words();
	const runs = [BASE, SUBJECT].filter(run => run);
	const with_misses = runs.filter(run => focus_row(run, "misses") !== null &&
		focus_row(run, "jobs"));
	if (with_misses.length && focus_row(with_misses[0], "misses"))
		return with_misses.map((run, i) => {
			const misses = focus_row(run, "misses");
			const count = misses ? `${whole(misses)} of ${whole(deadlines(run))}` : "none";
			return i ? `; with ${short_title(run)}: ${count}` :
				`${FOCUS.name} misses ${count} deadlines under ${short_title(run)}`;
		}).join("") + ".";
	const latencies = runs.filter(run => focus_hist(run));
	return latencies.map((run, i) => {
		const worst = time(focus_hist(run).max);
		const word = METRICS[FOCUS.metric][0];
		return i ? `; with ${short_title(run)}: ${worst}` :
			`${FOCUS.name}: the worst ${word} is ${worst} ${run === BASE ? "under" : "with"} ` +
			short_title(run);
	}).join("") + (latencies.length ? "." : "");
}

function failures() {
	return RUNS.filter(run => run.failure).map(run => make("p", { class: "note" },
		make("b", { class: "no" }, `An invariant failed in ${run.policy}: `), run.failure));
}

function card(title, before, after, small, bad) {
	const big = make("div", { class: "big" });
	if (before !== null)
		big.append(make("s", {}, before), " ", make("i", {}, "→"), " ");
	big.append(make("em", { class: bad ? verdict_holds() ? "plain" : "bad" : null }, after));
	return make("div", { class: "card" }, make("b", {}, title), big, make("small", {}, small));
}

// "12 times shorter", in whole words.
function times(before, after) {
	if (!after)
		return "gone";
	const factor = before / after;
	if (factor >= 1.15)
		return `${factor >= 9.5 ? whole(factor) : factor.toFixed(1)} times shorter`;
	return factor >= 0.87 ? "about the same" : `${(1 / factor).toFixed(1)} times longer`;
}

function cards() {
	const out = [];
	if (!SUBJECT)
		return null;
	if (is_about_latency()) {
		add_worst(out);
		add_misses(out);
	}
	add_spoken(out);
	add_spinning(out);
	add_bystanders(out);
	add_fairness(out);
	add_energy(out);
	return out.length ? make("div", { class: "cards" }, out.slice(0, 4)) : null;
}

function add_worst(out) {
	const after = focus_hist(SUBJECT), before = focus_hist(BASE);
	if (!after)
		return;
	const word = METRICS[FOCUS.metric][0];
	out.push(card(`${FOCUS.name}: worst ${word}`, before ? time(before.max) : null, time(after.max),
		before ? `${times(before.max, after.max)}; the worst of ${whole(after.count)}` :
			`the worst of ${whole(after.count)}`, before && after.max > before.max * 1.15));
}

function add_misses(out) {
	const after = focus_row(SUBJECT, "misses"), jobs = focus_row(SUBJECT, "jobs");
	if (after === null || !jobs || !FOCUS.deadline)
		return;
	const before = focus_row(BASE, "misses");
	out.push(card("Missed deadlines", before === null ? null : whole(before), whole(after),
		`of ${whole(deadlines(SUBJECT))}; each job must be done within ${time(FOCUS.deadline)}`,
		after > 0));
}

// What the verdict speaks of, when that is something else; whether it is good the verdict says.
function add_spoken(out) {
	const held = verdict_holds() || !DATA.asserts.length;
	for (const name of spoken_rows().slice(0, 8)) {
		const after = value_of(SUBJECT, name), before = value_of(BASE, name);
		if (!after || out.length >= 4 || name.startsWith("host.fairness") ||
		    (is_about_latency() && FOCUS && name.startsWith(FOCUS.path)))
			continue;
		out.push(card(row_words(name), before ? said(before) : null, said(after),
			before ? `${short_title(BASE)} → ${short_title(SUBJECT)}` : short_title(SUBJECT), !held));
	}
}

function add_spinning(out) {
	const after = focus_row(SUBJECT, "spin"), before = focus_row(BASE, "spin");
	if (KIND !== "spin" || after === null || !before)
		return;
	out.push(card("CPU time spent spinning", time(before), time(after),
		`all of ${FOCUS.vm}/${FOCUS.name}, for locks and answers`, after > before));
}

// Work of all tasks but the one in focus, in ns at full capability.
function others_work(run) {
	return tasks_of_scenario().filter(t => !is_focus(t))
		.reduce((sum, t) => sum + (row(run, `${t.path}.work`) || 0), 0);
}

function add_bystanders(out) {
	const before = BASE ? others_work(BASE) : 0, after = others_work(SUBJECT);
	if (!before || !is_about_latency())
		return;
	out.push(card("Work the others still do", null, after > 2 * before ?
		`${(after / before).toFixed(1)} times` : percent(after / before),
	`of what they do under ${short_title(BASE)}`, after < 0.95 * before));
}

function add_fairness(out) {
	const after = row(SUBJECT, "host.fairness_error");
	const before = row(BASE, "host.fairness_error");
	if (after === null || Math.max(after, before || 0) < 500) // ppm: 0.0 %
		return;
	out.push(card("Unfairness", before === null ? null : percent(before / 1e6),
		percent(after / 1e6), "how far a share of CPU time is from what it should be, at most",
		after > 50000 && after > (before || 0)));
}

function add_energy(out) {
	const after = row(SUBJECT, "host.energy"), before = row(BASE, "host.energy");
	if (!after || !before)
		return;
	out.push(card("Energy (proxy)", null, percent(after / before),
		`of what ${short_title(BASE)} takes, by the frequency table`, after > 1.05 * before));
}

// ---- a moment --------------------------------------------------------------------------------

const ANALYSES = []; // of all runs that have a picture
const RUNNING = 0, WAITING = 1;
const MARK_LATENCY = 6, MARK_MISS = 7, MARK_LEVEL = 13, MARK_FAULT = 14, MARK_DENIED = 15;
const FAULTS = ["the host's clock jumps", "timers are late from here on", "kicks get lost from here on",
	"a vCPU is unplugged", "a VM is reset", "a VM is migrated", "a CPU goes offline"];
const MARK_WORDS = { 6: "latency", 7: "deadline missed", 10: "yields", 11: "interrupt", 12: "kick",
	14: "fault", 15: "boost denied" };
const BASELINE = 2;

function spans_of(run) {
	const out = [], flat = run.spans || [];
	let from = 0;
	for (let i = 0; i + 7 < flat.length; i += 8) {
		from += flat[i];
		out.push({ from, until: from + flat[i + 1], thread: flat[i + 2], cpu: flat[i + 3],
			kind: flat[i + 4] & 1, spins: flat[i + 4] >> 1 & 1, stop: flat[i + 4] >> 2,
			klass: flat[i + 5], reason: flat[i + 6], task: flat[i + 7] });
	}
	return out;
}

function marks_of(run) {
	const out = [], flat = run.marks || [];
	let at = 0;
	for (let i = 0; i + 4 < flat.length; i += 5) {
		at += flat[i];
		out.push({ at, type: flat[i + 1], thread: flat[i + 2], what: flat[i + 3],
			value: flat[i + 4] });
	}
	return out;
}

function thread_name(id) {
	const thread = WINDOW.threads[id];
	if (!thread)
		return `thread ${id}`;
	if (!thread.vm)
		return thread.name;
	return thread.vcpus > 1 ? `${thread.vm}, vCPU ${thread.vcpu}` : thread.vm;
}

function short_thread_name(id) {
	const thread = WINDOW.threads[id];
	if (!thread)
		return String(id);
	if (!thread.vm)
		return thread.name;
	return thread.vcpus > 1 ? `${thread.vm}/${thread.vcpu}` : thread.vm;
}

function task_name(id) {
	const name = WINDOW.tasks[id];
	return name === undefined ? null : name.split("/").pop();
}

function same_vm(thread) {
	const mine = WINDOW.threads[WINDOW.thread], other = WINDOW.threads[thread];
	return thread === WINDOW.thread || (mine && other && mine.vm && mine.vm === other.vm);
}

function is_boosted(span) {
	return span.klass > BASELINE;
}

function reason_words(reason) {
	return DATA.reasons[reason] ? DATA.reasons[reason][1].replace(/^boosted /, "") :
		"why is not recorded";
}

// The span's vCPU runs the task in focus; one of which nothing is known and that has no other.
function runs_focus(span) {
	if (WINDOW.task >= 0 && span.task === WINDOW.task)
		return true; // also when its guest has moved it to another vCPU
	return span.thread === WINDOW.thread && (WINDOW.task < 0 ||
		(span.task === -2 && (FOCUS.vm === "host" || tasks_of_vm().length === 1)));
}

// What one run made of the moment: how long the job in focus waited, when it was done, which
// deadlines passed.
function analyse(run) {
	const a = { run, spans: spans_of(run), marks: marks_of(run) };
	a.threads = threads_of(a);
	a.mine = a.spans.filter(span => a.threads.includes(span.thread));
	a.jobs = WINDOW.task >= 0 ? jobs_of(a) : [];
	a.misses = missed(a);
	a.task = WINDOW.task >= 0 ? task_spans(a) : [];
	a.job = a.jobs.find(job => Math.abs(job.due - WINDOW.due) < 1000) || null;
	a.done = a.job && !a.job.open ? a.job.until - WINDOW.due : null;
	const waits = a.task.filter(span => span.kind === WAITING && span.job === a.job);
	a.wait = waits.reduce((most, span) => span.until - span.from > (most ?
		most.until - most.from : 0) ? span : most, null);
	a.waited = a.wait ? a.wait.until - a.wait.from : 0;
	const during = a.wait || { from: WINDOW.due, until: WINDOW.due };
	a.others = new Set(a.spans.filter(span => span.kind === RUNNING && span.until > during.from &&
		!a.threads.includes(span.thread) && span.from < during.until).map(span => span.thread));
	a.boost = a.mine.find(span => is_boosted(span) && span.kind === RUNNING &&
		span.until > WINDOW.due && (!a.job || span.from < a.job.until)) || null;
	a.spun = spun(a);
	a.had = a.spans.filter(span => span.kind === RUNNING && same_vm(span.thread))
		.reduce((sum, span) => sum + span.until - span.from, 0) / (run.shown * DATA.scenario.cpus);
	return a;
}

// Deadlines that pass in the picture: of jobs that are late, and of those skipped meanwhile.
function missed(a) {
	const out = [], { deadline } = FOCUS, period = FOCUS.spec.period || 0;
	for (const job of deadline ? a.jobs : [])
		if (job.until > job.due + deadline || (job.open && a.run.shown > job.due + deadline))
			for (let due = job.due; due < job.until && due + deadline <= a.run.shown;
				due += period || Infinity)
				if (due + deadline >= 0)
					out.push(due + deadline);
	return out;
}

// The threads on which the task in focus runs here: one, unless its guest moves it.
function threads_of(a) {
	const ran = new Set(a.spans.filter(span => span.kind === RUNNING && runs_focus(span))
		.map(span => span.thread));
	return ran.size ? [...ran].sort((x, y) => x - y).slice(0, 6) : [WINDOW.thread];
}

// CPU time that the VM in focus burnt in this picture while it waited for locks and answers.
function spun(a) {
	return a.spans.filter(span => span.spins && span.kind === RUNNING && same_vm(span.thread))
		.reduce((sum, span) => sum + span.until - span.from, 0);
}

// The shortest wait that any run made of the job in focus: without a deadline, what is possible.
function best_wait() {
	return Math.min(...ANALYSES.filter(a => a.job).map(a => a.waited));
}

// true, false, or null where neither can be said.
function is_good(a) {
	if (KIND !== "job" || (!a.job && !a.misses.length))
		return null;
	if (FOCUS.deadline)
		return !a.misses.length && a.done !== null;
	return a.waited <= 4 * best_wait() + 20000;
}

function run_result(a) {
	if (KIND === "plain")
		return `VM ${focus_vm()} has ${percent(a.had)} of the CPU time here`;
	if (KIND === "spin")
		return `VM ${focus_vm()} spins for ${time(a.spun)} in this picture`;
	const misses = FOCUS.deadline ? `; ${plural(a.misses.length, "deadline")} missed here` : "";
	if (!a.job)
		return `nothing to do at 0${misses}`;
	const done = a.done === null ? "is not done in this picture" : `is done after ${time(a.done)}`;
	return `${FOCUS.name} waits ${time(a.waited)} and ${done}${misses}`;
}

function focus_vm() {
	const thread = WINDOW.threads[WINDOW.thread];
	return thread && thread.vm || FOCUS.vm;
}

function waiting_words(a) {
	const cpus = `the CPU${DATA.scenario.cpus > 1 ? "s" : ""}`;
	const who = !a.others.size || a.waited < 100000 ? "" : a.others.size === 1 ?
		`, while another has ${cpus}` : `, while ${whole(a.others.size)} others have ${cpus}`;
	return `waits ${time(a.waited)} for a CPU${who}`;
}

// What went wrong, and what the library did, in words.
function story(base, subject) {
	if (KIND === "spin")
		return spin_story(base, subject);
	if (KIND === "plain")
		return make("p", {}, `The first ${time(WINDOW.length)} that were measured, for each policy.`);
	const out = [`At 0 (${time(WINDOW.from + WINDOW.due)} after the start), ${FOCUS.name} ` +
		`${FOCUS.vm === "host" ? "(on the host)" : `(in VM ${FOCUS.vm})`} has something to do. `];
	for (const a of [base, subject].filter((x, i, all) => x && all.indexOf(x) === i)) {
		const under = `${a === base ? "Under" : "With"} ${short_title(a.run)} it `;
		out.push(make("b", {}, under + (a.job ? waiting_words(a) : "has nothing to do")),
			a === subject ? why_words(a) : "", speed_words(a), done_words(a));
	}
	return make("p", {}, out);
}

function spin_story(base, subject) {
	const out = [`At 0, a vCPU of VM ${focus_vm()} begins to spin for ${time(WINDOW.value)}: it waits ` +
		"for a lock or an answer of a vCPU that has no CPU. "];
	for (const a of [base, subject].filter((x, i, all) => x && all.indexOf(x) === i))
		out.push(make("b", {}, `${a === base ? "Under" : "With"} ${short_title(a.run)} the vCPUs of ` +
			`this VM spin for ${time(a.spun)} of CPU time`), " in this picture. ");
	return make("p", {}, out);
}

function why_words(a) {
	return a.boost ? `: its vCPU is boosted (${reason_words(a.boost.reason)})` : "";
}

// Where waiting is the smaller part: on which CPU it ran, and how fast that was.
function speed_words(a) {
	if (!a.job || a.done === null || a.waited > 0.3 * a.done || !speeds_in(a))
		return "";
	const by_cpu = new Map();
	let ran = 0, did = 0;
	for (const span of a.spans.filter(x => x.kind === RUNNING && runs_focus(x))) {
		const from = Math.max(span.from, a.job.from), until = Math.min(span.until, a.job.until);
		if (until <= from)
			continue;
		by_cpu.set(span.cpu, (by_cpu.get(span.cpu) || 0) + until - from);
		ran += until - from;
		did += (until - from) * speed_at(a, span.cpu, from);
	}
	if (!ran)
		return "";
	const most = [...by_cpu].sort((x, y) => y[1] - x[1])[0][0];
	return `, runs ${by_cpu.size > 1 ? "mostly " : ""}on CPU ${most} at ${percent(did / ran, 0)} of ` +
		"the highest speed";
}

function speed_at(a, cpu, at) {
	const steps = (speeds_of(a, cpu) || [[0, 1024]]).filter(([from]) => from <= at);
	return steps[steps.length - 1][1] / 1024;
}

function done_words(a) {
	if (!a.job)
		return ". ";
	const done = a.done === null ? "; its job is not done here" : `; it is done after ${time(a.done)}`;
	if (!FOCUS.deadline)
		return `${done}. `;
	const allowed = time(FOCUS.deadline);
	return a.done !== null && a.done <= FOCUS.deadline ? `${done}, in time (${allowed}). ` :
		`${done}, and had ${allowed}` + (a.misses.length > 1 ?
			`: ${whole(a.misses.length)} deadlines pass. ` : ". ");
}

// A window without a worst moment is about the VM in focus, from its beginning.
function prepare_window() {
	if (KIND !== "plain")
		return;
	const spoken = spoken_rows().map(name => name.match(/^vm\.([\w-]+)\./)).find(match => match);
	const name = spoken ? spoken[1] : FOCUS && FOCUS.vm;
	WINDOW.thread = Math.max(WINDOW.threads.findIndex(thread => thread.vm && (thread.vm === name ||
		thread.vm.startsWith(`${name}.`))), 0);
	WINDOW.task = -1;
	WINDOW.due = 0;
}

function moment() {
	if (!WINDOW.length || !FOCUS || !WINDOW.threads.length || !RUNS.some(run => run.spans))
		return null;
	const all = RUNS.filter(run => run.spans).map(analyse);
	ANALYSES.push(...all);
	const base = all.find(a => a.run === BASE), subject = all.find(a => a.run === SUBJECT);
	const view = make_view(all);
	return make("section", {},
		make("h2", {}, KIND === "plain" ? "Who runs when" : base ?
			`The worst moment under ${short_title(base.run)}` : "The worst moment"),
		story(base, subject || all[0]),
		timeline_tools(view), key(view),
		make("div", { id: "timelines" }, all.map(a => timeline(a, view))));
}

// ---- timelines: one view of time for all of them ---------------------------------------------------

const LEFT = 132, RIGHT = 10, TOP = 60, AXIS = 22;

function make_view(all) {
	return { from: 0, until: WINDOW.length, every: false, all, redraws: [] };
}

function set_view(view, from, until) {
	const least = 2000, most = WINDOW.length;
	const length = Math.min(Math.max(until - from, least), most);
	view.from = Math.min(Math.max(from, 0), most - length);
	view.until = view.from + length;
	view.redraws.forEach(redraw => redraw());
}

function zoom(view, factor, at = (view.from + view.until) / 2) {
	set_view(view, at - (at - view.from) * factor, at + (view.until - at) * factor);
}

function pan(view, share) {
	const by = (view.until - view.from) * share;
	set_view(view, view.from + by, view.until + by);
}

// Where it comes due, close enough to see the boost itself.
function zoom_to_start(view) {
	const ends = view.all.filter(a => a.boost).map(a => a.boost.until - WINDOW.due);
	const length = Math.max(...ends, 20000) * 2.5;
	set_view(view, WINDOW.due - length * 0.25, WINDOW.due + length * 0.75);
}

function timeline_tools(view) {
	const button = (words, action, label) => {
		const node = make("button", { type: "button", "aria-label": label || null }, words);
		node.addEventListener("click", action);
		return node;
	};
	const every = button("All threads", () => {
		view.every = !view.every;
		every.setAttribute("aria-pressed", view.every);
		every.textContent = view.every ? "Fewer threads" : "All threads";
		view.redraws.forEach(redraw => redraw());
	});
	every.setAttribute("aria-pressed", "false");
	return make("div", { class: "tools", role: "toolbar", "aria-label": "Timelines" },
		button("All of it", () => set_view(view, 0, WINDOW.length)),
		KIND === "plain" ? null : button("Start, close up", () => zoom_to_start(view)),
		button("+", () => zoom(view, 0.5), "closer"), button("−", () => zoom(view, 2), "farther"),
		button("◀", () => pan(view, -0.3), "earlier"), button("▶", () => pan(view, 0.3), "later"),
		every,
		make("span", { class: "soft" }, "Drag to move, Ctrl and wheel to zoom; with the keyboard: " +
			"arrows read, + − 0."));
}

function key(view) {
	const entry = (shape, words) => make("span", {},
		draw("svg", { viewBox: "0 0 26 13", "aria-hidden": "true" }, shape), words);
	const spins = view.all.some(a => a.spun), hero = WINDOW.task < 0 ? thread_name(WINDOW.thread) : FOCUS.name;
	const mixed = WINDOW.task < 0 || tasks_of_vm().length > 1;
	return make("div", { class: "key" },
		entry(draw("rect", { width: 26, height: 13, class: "hero" }), `${hero} runs`),
		mixed ? entry(draw("rect", { width: 26, height: 13, class: "hero-soft" }),
			`other work of VM ${focus_vm()}`) : null,
		entry(hatched(0, 0, 26, 13), `${hero} wants a CPU, has none`),
		spins ? entry([draw("rect", { width: 26, height: 13, class: "hero-soft" }),
			hatched(0, 0, 26, 13)], "spins: runs for nothing") : null,
		entry([draw("rect", { width: 26, height: 13, class: "hero" }),
			draw("rect", { width: 26, height: 4, class: "cap" })], "boosted"),
		entry([draw("rect", { width: 13, height: 13, class: "other-a" }),
			draw("rect", { x: 13, width: 13, height: 13, class: "other-b" })], "others run"),
		FOCUS.deadline && KIND === "job" ? entry(cross(13, 6.5), "deadline missed") : null,
		view.all.some(a => speeds_in(a)) ? entry(draw("path", { d: "M0 11H9V4H26", class: "speed" }),
			"how fast a CPU is") : null);
}

function tasks_of_vm() {
	const vm = DATA.scenario.vms.find(v => v.name === FOCUS.vm);
	return vm ? vm.tasks : [];
}

function hatched(x, y, width, height, look = "wait") {
	return draw("rect", { x, y, width, height, fill: `url(#hatch-${look})`,
		class: `${look}-line` });
}

function cross(x, y) {
	return draw("path", { d: `M${x - 4.5} ${y - 4.5}l9 9m0-9l-9 9`, class: "late-line",
		"stroke-width": 2.6, "stroke-linecap": "round" });
}

function hatch_pattern() {
	return draw("svg", { width: 0, height: 0, style: "position:absolute", "aria-hidden": "true" },
		draw("defs", {}, ["wait", "calm"].map(look => draw("pattern", { id: `hatch-${look}`,
			width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
		draw("line", { x1: 0, y1: 0, x2: 0, y2: 6, class: `${look}-line`, "stroke-width": 3 })))));
}

// Lanes from top to bottom: the task, its vCPU, the CPUs; and on request all other threads.
function lanes_of(a, view) {
	const lanes = [];
	if (WINDOW.task >= 0)
		lanes.push({ kind: "task", label: FOCUS.name, sub: "what it gets", height: 26,
			spans: a.task });
	for (const thread of a.threads) {
		const spans = a.mine.filter(span => span.thread === thread);
		lanes.push({ kind: "thread", ...vcpu_label(thread), height: 24, thread, main: true,
			spans: WINDOW.task >= 0 ? idle_waits(spans, a.task) : spans });
	}
	if (KIND === "spin" && !view.every)
		add_threads(lanes, a, thread => same_vm(thread), 12);
	if (KIND === "plain" && !view.every)
		add_threads(lanes, a, () => true, 8);
	for (let cpu = 0; cpu < DATA.scenario.cpus && (cpu < 8 || view.every); cpu++)
		lanes.push({ kind: "cpu", label: `CPU ${cpu}`, height: 20, cpu, gap: cpu === 0,
			speeds: speeds_of(a, cpu), spans: a.spans.filter(span => span.cpu === cpu && span.kind === RUNNING) });
	if (view.every)
		add_threads(lanes, a, () => true, Infinity);
	return lanes;
}

// [from, speed / 1024] of a CPU, or null when it is as fast as any all the time.
function speeds_of(a, cpu) {
	const out = [[0, (a.run.speeds || [])[cpu] || 1024]];
	for (const mark of a.marks)
		if (mark.type === MARK_LEVEL && mark.thread === cpu)
			out.push([mark.at, mark.value]);
	return out.some(([, speed]) => speed < 1024) ? out : null;
}

function vcpu_label(id) {
	const thread = WINDOW.threads[id];
	if (!thread || !thread.vm)
		return { label: "its thread", sub: "on the host" };
	return { label: thread.vcpus > 1 ? `vCPU ${thread.vcpu}` : "its vCPU", sub: `of VM ${thread.vm}` };
}

function add_threads(lanes, a, wanted, most) {
	const by_thread = new Map();
	for (const span of a.spans) {
		if (a.threads.includes(span.thread) || !wanted(span.thread))
			continue;
		if (!by_thread.has(span.thread))
			by_thread.set(span.thread, []);
		by_thread.get(span.thread).push(span);
	}
	[...by_thread.keys()].sort((x, y) => x - y).slice(0, most).forEach((thread, i) =>
		lanes.push({ kind: "thread", label: short_thread_name(thread), height: 13, thread,
			gap: i === 0, spans: by_thread.get(thread) }));
}

// The task's own view: it waits from when a job begins until it runs, and runs; by its vCPU's
// spans and the marks at which jobs ended.
function task_spans(a) {
	const runs = a.spans.filter(span => span.kind === RUNNING && runs_focus(span));
	const out = [];
	for (const job of a.jobs) {
		let at = job.from;
		for (const span of runs) {
			if (span.until <= job.from || span.from >= job.until)
				continue;
			if (span.from > at)
				out.push({ from: at, until: span.from, kind: WAITING, thread: WINDOW.thread,
					task: WINDOW.task, job });
			at = Math.min(span.until, job.until);
		}
		if (at < job.until)
			out.push({ from: at, until: job.until, kind: WAITING, thread: WINDOW.thread,
				task: WINDOW.task, job });
	}
	return out.concat(runs).sort((x, y) => x.from - y.from);
}

// The waits of the vCPU in which the task in focus has nothing to do hurt nobody: they are cut
// out and marked `calm`.
function idle_waits(spans, task) {
	const urgent = task.filter(span => span.kind === WAITING);
	return spans.flatMap(span => {
		if (span.kind !== WAITING)
			return [span];
		const out = [];
		let at = span.from;
		for (const wait of urgent) {
			const from = Math.max(wait.from, at), until = Math.min(wait.until, span.until);
			if (until <= from)
				continue;
			if (from > at)
				out.push({ ...span, from: at, until: from, calm: true });
			out.push({ ...span, from, until });
			at = until;
		}
		if (at < span.until)
			out.push({ ...span, from: at, calm: true });
		return out;
	});
}

// Jobs by the marks of their ends; the one in focus, if its end is beyond the picture.
function jobs_of(a) {
	const jobs = [], period = FOCUS.spec.period || 0;
	for (const mark of a.marks) {
		if (mark.type !== MARK_LATENCY || mark.what !== WINDOW.task)
			continue;
		const from = Math.max(mark.at - mark.value, 0);
		const same = jobs.find(job => Math.abs(job.due - (mark.at - mark.value)) < 2);
		if (same)
			same.until = Math.max(same.until, mark.at);
		else
			jobs.push({ due: mark.at - mark.value, from, until: mark.at });
	}
	if (!period)
		return jobs;
	// The last one, whose end is beyond the picture: a late task goes on with the next period.
	const last = jobs.length ? jobs[jobs.length - 1] : null;
	const due = last ? last.due + Math.max(Math.ceil((last.until - last.due) / period), 1) * period :
		WINDOW.due;
	if (due < a.run.shown)
		jobs.push({ due, from: Math.max(due, 0), until: a.run.shown, open: true });
	return jobs;
}

// Dragging pans, and the arrows read span after span.
function timeline(a, view) {
	const good = is_good(a);
	const holder = make("div", {});
	const panel = make("div", { class: "panel" },
		make("div", { class: "head" },
			make("h3", {}, swatch(a.run), title_of(a.run)),
			make("span", { class: `result ${good === null ? "" : good ? "ok" : "no"}` },
				`${good === null ? "" : good ? "✓ " : "✗ "}${run_result(a)}`),
			make("span", { class: "what" }, a.run.what || "")),
		holder);
	const state = { a, view, holder, lanes: [], lane: 0, span: null, width: 0 };
	const redraw = () => draw_timeline(state);
	view.redraws.push(redraw);
	redraw_on_resize(holder, redraw);
	return panel;
}

// Once it is in the page, and when its width changes; never from inside of the observer.
function redraw_on_resize(holder, redraw) {
	let width = 0;
	new ResizeObserver(() => requestAnimationFrame(() => {
		if (!holder.clientWidth || holder.clientWidth === width)
			return;
		width = holder.clientWidth;
		redraw();
	})).observe(holder);
}

function draw_timeline(s) {
	const width = s.holder.clientWidth || 1100;
	const narrow = width < 620;
	s.width = width;
	s.left = narrow ? 86 : LEFT;
	s.right = width - RIGHT;
	s.x = ns => s.left + (ns - s.view.from) / (s.view.until - s.view.from) * (s.right - s.left);
	s.ns = x => s.view.from + (x - s.left) / (s.right - s.left) * (s.view.until - s.view.from);
	s.lanes = lanes_of(s.a, s.view);
	s.top = KIND === "plain" ? 8 : TOP;
	let y = s.top;
	for (const lane of s.lanes) {
		y += lane.gap ? 10 : 0;
		lane.y = y;
		y += lane.height + 4;
	}
	s.bottom = y;
	const focused = s.svg && document.activeElement === s.svg;
	const svg = draw("svg", { class: "timeline", width, height: y + AXIS, tabindex: 0,
		viewBox: `0 0 ${width} ${y + AXIS}`, role: "group",
		"aria-label": `Timeline of ${title_of(s.a.run)}: ${run_result(s.a)}. ` +
			"Arrow keys read its lanes." });
	svg.append(axis_of(s), ...s.lanes.map(lane => draw_lane(s, lane)), notes_of(s));
	s.svg = svg;
	s.holder.replaceChildren(svg);
	listen(s);
	if (focused)
		svg.focus({ preventScroll: true });
	mark_cursor(s);
}

function nice_step(length, count) {
	const rough = length / count, power = 10 ** Math.floor(Math.log10(rough));
	return [1, 2, 5, 10].find(step => step * power >= rough) * power;
}

function axis_of(s) {
	const out = [], step = nice_step(s.view.until - s.view.from, s.width < 620 ? 4 : 8);
	const first = Math.ceil((s.view.from - WINDOW.due) / step);
	for (let i = first; i * step + WINDOW.due <= s.view.until; i++) {
		const x = s.x(i * step + WINDOW.due);
		out.push(draw("line", { x1: x, x2: x, y1: s.top - 4, y2: s.bottom, class: "grid" }),
			draw("text", { x, y: s.bottom + 16, "text-anchor": "middle", class: "soft" },
				i ? time(i * step) : "0"));
	}
	return draw("g", {}, out);
}

function look_of(span, lane) {
	if (span.kind === WAITING)
		return lane.kind === "thread" && !lane.main ? "idle-wait" :
			span.calm ? "calm" : "wait";
	if (runs_focus(span))
		return "hero";
	if (same_vm(span.thread))
		return "hero-soft";
	return ["other-a", "other-b", "other-c"][span.thread % 3];
}

function draw_lane(s, lane) {
	const group = draw("g", {});
	group.append(draw("text", { x: 0, y: lane.y + lane.height / 2 + (lane.sub ? -1 : 4),
		class: lane.height < 16 ? "small" : lane.kind === "task" ? "strong" : null }, lane.label));
	if (lane.sub && s.left > 100)
		group.append(draw("text", { x: 0, y: lane.y + lane.height / 2 + 12, class: "soft small" },
			lane.sub));
	group.append(draw("rect", { x: s.left, y: lane.y, width: s.right - s.left,
		height: lane.height, class: "lane-bg" }));
	let drawn = -1;
	for (const span of lane.spans) {
		const x0 = Math.max(s.x(span.from), s.left), x1 = Math.min(s.x(span.until), s.right);
		if (x1 <= s.left || x0 >= s.right)
			continue;
		const look = look_of(span, lane), important = look === "hero";
		if (x1 - drawn < 0.6 && !important)
			continue;
		const least = important ? 2 : 0.8;
		drawn = Math.max(x1, x0 + least);
		draw_span(group, lane, span, look, x0, Math.max(x1 - x0, least));
	}
	if (lane.speeds)
		group.append(draw_speeds(s, lane));
	return group;
}

function speeds_in(a) {
	return (a.run.speeds || []).some((speed, cpu) => speeds_of(a, cpu));
}

// A line through a CPU's lane: the higher, the faster it is.
function draw_speeds(s, lane) {
	const y = speed => lane.y + lane.height - 1 - speed / 1024 * (lane.height - 4);
	let d = "";
	lane.speeds.forEach(([from, speed], i) => {
		const x = Math.min(Math.max(s.x(from), s.left), s.right).toFixed(1);
		d += i ? `H${x}V${y(speed).toFixed(1)}` : `M${x} ${y(speed).toFixed(1)}`;
	});
	return draw("path", { d: `${d}H${s.right}`, class: "speed" });
}

function draw_span(group, lane, span, look, x, width) {
	const { y, height } = lane;
	if (look === "idle-wait") {
		group.append(draw("line", { x1: x, x2: x + width, y1: y + height / 2, y2: y + height / 2,
			class: "wait-line", "stroke-width": 1.5 }));
		return;
	}
	if (look === "wait" || look === "calm")
		group.append(hatched(x, y + 3, width, height - 6, look));
	else
		group.append(draw("rect", { x, y: y + 1, width, height: height - 2, class: look }));
	if (span.spins && span.kind === RUNNING)
		group.append(draw("rect", { x, y: y + 1, width, height: height - 2,
			fill: "url(#hatch-wait)" }));
	if (look !== "wait" && look !== "calm" && is_boosted(span))
		group.append(draw("rect", { x, y: y - 1, width, height: 4, class: "cap" }));
	label_span(group, lane, span, look, x, width);
}

function label_span(group, lane, span, look, x, width) {
	if (width < 34 || lane.height < 16)
		return;
	const words = span_label(lane, span, look);
	const room = Math.floor((width - 6) / 6.5);
	if (!words || (room < words.length && (lane.kind === "cpu" || room < 4)))
		return;
	const fits = words.length <= room ? words : words.slice(0, room - 1) + "…";
	group.append(draw("text", { x: x + width / 2, y: lane.y + lane.height / 2 + 4,
		"text-anchor": "middle", class: look === "wait" ? "small halo wait-ink strong" :
			look === "calm" ? "small halo soft" : look === "hero" ? "small on-dark" : "small" }, fits));
}

function span_label(lane, span, look) {
	if (look === "wait")
		return `waits ${time(span.until - span.from)}`;
	if (look === "calm")
		return "its other work waits";
	if (lane.kind === "cpu")
		return same_vm(span.thread) && span.task >= 0 ?
			`${short_thread_name(span.thread)}: ${task_name(span.task)}` :
			short_thread_name(span.thread);
	if (span.spins)
		return "spins";
	if (lane.main)
		return task_name(span.task) || "runs";
	return lane.kind === "task" ? "runs" : task_name(span.task);
}

// ---- what is written into the picture -----------------------------------------------------------------

function notes_of(s) {
	const group = draw("g", { "aria-hidden": "true" });
	const labels = [], top = s.lanes[0];
	if (KIND === "plain")
		return group;
	const due = s.x(WINDOW.due);
	if (due >= s.left - 1 && due <= s.right)
		group.append(draw("line", { x1: due, x2: due, y1: TOP - 54, y2: s.bottom,
			stroke: "var(--hero)", "stroke-width": 1.5, "stroke-dasharray": "4 3" }));
	labels.push({ at: WINDOW.due, kind: "hero-ink", words: WINDOW.task < 0 ? "begins to spin" :
		s.a.job ? `${FOCUS.name} wants to run` : "0" });
	labels.push(...start_labels(s));
	group.append(...put_labels(s, labels), ...misses_in(s, top));
	return group;
}

// When it had waited, and as what it ran; one label where both are one.
function start_labels(s) {
	const { wait, waited, boost } = s.a, labels = [];
	const boosted = boost ? `boosted: ${reason_words(boost.reason)}` : null;
	const at_boost = boost ? Math.max(boost.from, WINDOW.due) : 0;
	const runs = wait && waited > 1000 && wait.until < s.a.run.shown ? wait.until : null;
	const both = boosted && runs !== null && Math.abs(s.x(at_boost) - s.x(runs)) < 12;
	const words = runs === null ? null : wait.from <= WINDOW.due ? `runs ${time(waited)} later` :
		`goes on ${time(waited)} later`;
	if (words)
		labels.push({ at: runs, words: both ? `${words}, ${boosted}` : words, tick: true,
			short: both ? `${words}, boosted` : null, kind: both ? "strong" : "wait-ink" });
	if (boosted && !both)
		labels.push({ at: at_boost, words: boosted, short: "boosted", kind: "strong", tick: true });
	return labels.sort((x, y) => x.at - y.at);
}

// Labels from left to right, in two rows when they would collide.
function put_labels(s, labels) {
	const rows = [s.left - 200, s.left - 200], out = [];
	for (const label of labels) {
		if (label.short && label.words.length * 7.7 > s.right - s.left)
			label.words = label.short;
		const x = s.x(label.at), wide = label.words.length * (label.kind === "wait-ink" ? 7 : 7.7);
		if (x < s.left - 1 || x > s.right)
			continue;
		const at = Math.max(Math.min(x + 4, s.right - wide), s.left);
		const level = rows[0] <= at ? 0 : 1;
		if (rows[level] > at)
			continue;
		rows[level] = at + wide + 10;
		if (label.tick)
			out.push(draw("line", { x1: x, x2: x, y1: level ? TOP - 37 : TOP - 54,
				y2: s.lanes[0].y, stroke: "var(--ink)", "stroke-width": 1 }));
		out.push(draw("text", { x: at, y: level ? TOP - 27 : TOP - 44, class: `halo ${label.kind}`,
			style: label.kind === "hero-ink" ? "fill:var(--hero);font-weight:700" : null },
		label.words));
	}
	return out;
}

function misses_in(s, lane) {
	const out = [];
	let last = -1;
	s.a.misses.forEach(at => {
		const x = s.x(at);
		if (x < s.left || x > s.right)
			return;
		out.push(draw("line", { x1: x, x2: x, y1: lane.y - 6, y2: lane.y + lane.height,
			class: "late-line", "stroke-width": 1.5 }), cross(x, lane.y - 7));
		if (last < 0 || (x - last > 120 && s.a.misses.length <= 3))
			out.push(draw("text", { x: x + 8, y: lane.y - 3, class: "small halo",
				style: "fill:var(--late)" }, s.a.misses.length > 3 ? "deadlines missed" :
				"deadline missed"));
		last = x;
	});
	return out;
}

// ---- reading a timeline: pointer and keyboard -----------------------------------------------------------

function words_of(s, lane, span) {
	const from = time(span.from - WINDOW.due), length = time(span.until - span.from);
	const task = span.task >= 0 ? task_name(span.task) : null;
	if (lane.kind === "task" && span.kind === WAITING)
		return [`${FOCUS.name} waits ${length}`, `from ${from} on: its job is not done, ` +
			"and it has no CPU"];
	const who = thread_name(span.thread);
	if (span.kind === WAITING)
		return [`${who} waits ${length}`, `from ${from} on: it could run` +
			(span.calm ? `, but ${FOCUS.name} has nothing to do` : "") +
			(span.klass === BASELINE ? "" : `; ${class_words(span)}`)];
	const what = span.spins ? "spins: waits for a lock or an answer" : task ? `runs ${task}` : "runs";
	return [`${who} ${what}`, `${length} on CPU ${span.cpu}, from ${from} on; ${class_words(span)}` +
		stop_words(span)];
}

function class_words(span) {
	const why = reason_words(span.reason);
	if (span.klass > BASELINE)
		return `boosted: ${why}`;
	if (span.klass && span.klass < BASELINE)
		return `below baseline: ${why}`;
	return "not boosted" + (span.reason ? ` (${why})` : "");
}

function stop_words(span) {
	return ["", "; then it sleeps", "; then it is preempted", "; then it yields",
		"; then its slice is over"][span.stop] || "";
}

function show_tip(lines, x, y) {
	const tip = document.getElementById("tip");
	tip.replaceChildren(make("b", {}, lines[0]), lines[1]);
	tip.hidden = false;
	const wide = tip.offsetWidth, tall = tip.offsetHeight;
	tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - wide - 6))}px`;
	tip.style.top = `${y + 18 + tall > innerHeight ? y - tall - 12 : y + 18}px`;
}

function hide_tip() {
	document.getElementById("tip").hidden = true;
}

function lane_at(s, y) {
	return s.lanes.findIndex(lane => y >= lane.y - 3 && y < lane.y + lane.height + 3);
}

// The span at a place; when it is too thin to hit, the nearest within a few pixels.
function span_at(s, lane, x) {
	const at = s.ns(x), near = s.ns(x + 3) - at;
	let best = null, distance = near;
	for (const span of lane.spans) {
		if (span.from > at + near)
			break;
		const away = at < span.from ? span.from - at : at > span.until ? at - span.until : 0;
		if (away < distance || (away === distance && best === null)) {
			best = span;
			distance = away;
		}
	}
	return best;
}

function mark_at(s, x) {
	return s.a.marks.find(mark => mark.type !== MARK_LATENCY && mark.type !== MARK_LEVEL &&
		Math.abs(s.x(mark.type === MARK_MISS ? mark.at - mark.value : mark.at) - x) < 5);
}

function mark_words(mark) {
	const when = time(mark.at - WINDOW.due);
	if (mark.type === MARK_MISS)
		return ["deadline missed", `${task_name(mark.what) || ""} is done ${time(mark.value)} too late`];
	if (mark.type === MARK_FAULT)
		return ["fault", `${FAULTS[mark.thread] || "something"} at ${when}`];
	return [MARK_WORDS[mark.type] || "event", `${thread_name(mark.thread)}, at ${when}` +
		(mark.type === MARK_DENIED ? `: ${reason_words(mark.what)}` : "")];
}

function listen(s) {
	const svg = s.svg;
	const place = event => {
		const box = svg.getBoundingClientRect();
		return [(event.clientX - box.left) * s.width / box.width,
			(event.clientY - box.top) * s.width / box.width];
	};
	svg.addEventListener("pointermove", event => point(s, event, place(event)));
	svg.addEventListener("pointerleave", hide_tip);
	svg.addEventListener("pointerdown", event => {
		if (event.button === 0)
			start_drag(s, event);
	});
	svg.addEventListener("wheel", event => {
		if (!event.ctrlKey && !event.metaKey)
			return;
		event.preventDefault();
		zoom(s.view, event.deltaY > 0 ? 1.25 : 0.8, s.ns(place(event)[0]));
	}, { passive: false });
	svg.addEventListener("dblclick", event => zoom(s.view, 0.5, s.ns(place(event)[0])));
	svg.addEventListener("keydown", event => press(s, event));
	svg.addEventListener("blur", hide_tip);
}

function point(s, event, [x, y]) {
	if (event.buttons)
		return;
	const lane = s.lanes[lane_at(s, y)];
	const mark = y < s.top + 8 ? mark_at(s, x) : null;
	if (mark)
		return show_tip(mark_words(mark), event.clientX, event.clientY);
	const span = lane && x >= s.left ? span_at(s, lane, x) : null;
	if (!span)
		return hide_tip();
	show_tip(words_of(s, lane, span), event.clientX, event.clientY);
}

// The picture is drawn anew while it is dragged, so the document listens.
function start_drag(s, event) {
	const scale = (s.view.until - s.view.from) / (s.right - s.left);
	const from = s.view.from, until = s.view.until, x = event.clientX;
	const move = e => set_view(s.view, from - (e.clientX - x) * scale, until - (e.clientX - x) * scale);
	const stop = () => {
		document.removeEventListener("pointermove", move);
		document.removeEventListener("pointerup", stop);
		document.removeEventListener("pointercancel", stop);
	};
	hide_tip();
	document.addEventListener("pointermove", move);
	document.addEventListener("pointerup", stop);
	document.addEventListener("pointercancel", stop);
}

function press(s, event) {
	const actions = {
		ArrowRight: () => step_span(s, 1), ArrowLeft: () => step_span(s, -1),
		ArrowDown: () => step_lane(s, 1), ArrowUp: () => step_lane(s, -1),
		"+": () => zoom(s.view, 0.5), "=": () => zoom(s.view, 0.5), "-": () => zoom(s.view, 2),
		"0": () => set_view(s.view, 0, WINDOW.length), Escape: hide_tip,
	};
	if (!actions[event.key] || event.ctrlKey || event.metaKey || event.altKey)
		return;
	event.preventDefault();
	actions[event.key]();
}

function step_lane(s, by) {
	s.lane = Math.min(Math.max(s.lane + by, 0), s.lanes.length - 1);
	s.span = null;
	step_span(s, 1);
}

function step_span(s, by) {
	const spans = s.lanes[s.lane].spans;
	if (!spans.length)
		return;
	const at = s.span === null ? WINDOW.due - 1 : s.span.from;
	const next = by > 0 ? spans.find(span => span.from > at || (span === s.span ? false :
		span.from === at && s.span === null)) : spans.filter(span => span.from < at).pop();
	s.span = next || s.span || spans[0];
	if (s.span.from < s.view.from || s.span.from > s.view.until) {
		const length = s.view.until - s.view.from;
		set_view(s.view, s.span.from - length / 2, s.span.from + length / 2);
	}
	mark_cursor(s);
	const box = s.svg.getBoundingClientRect(), lane = s.lanes[s.lane];
	show_tip(words_of(s, lane, s.span), box.left + s.x(s.span.from), box.top + lane.y + lane.height);
}

function mark_cursor(s) {
	s.svg.querySelectorAll(".cursor").forEach(node => node.remove());
	const lane = s.lanes[s.lane];
	if (!s.span || !lane)
		return;
	const x0 = Math.max(s.x(s.span.from), s.left), x1 = Math.min(s.x(s.span.until), s.right);
	if (x1 >= x0)
		s.svg.append(draw("rect", { x: x0 - 1, y: lane.y - 1, width: x1 - x0 + 2,
			height: lane.height + 2, class: "cursor" }));
}

// ---- latencies of all runs in one picture -------------------------------------------------------------

function hist_names() {
	const names = new Set(RUNS.flatMap(run => Object.keys(run.hists)));
	return [...names].sort();
}

function hist_words(name) {
	const dot = name.lastIndexOf(".");
	const kind = name.slice(dot + 1), who = name.slice(name.indexOf(".") + 1, dot);
	return `${who}: ${(METRICS[kind] || [kind])[0]}`;
}

function curves() {
	const names = hist_names();
	if (!names.length)
		return null;
	const first = FOCUS && FOCUS.metric && names.includes(`${FOCUS.path}.${FOCUS.metric}`) ?
		`${FOCUS.path}.${FOCUS.metric}` : names[0];
	const choice = make("select", { "aria-label": "Which latency" }, names.map(name =>
		make("option", { value: name, selected: name === first ? "" : null }, hist_words(name))));
	const holder = make("div", {}), words = make("p", { class: "soft" });
	const redraw = () => {
		words.textContent = curve_words(choice.value);
		draw_curves(holder, choice.value);
	};
	choice.addEventListener("change", redraw);
	redraw_on_resize(holder, redraw);
	return make("section", {}, make("h2", {}, "How long it takes, every time"),
		words,
		make("div", { class: "tools" }, make("label", {}, "Shown: ", choice)),
		make("div", { class: "panel" }, holder));
}

function curve_words(name) {
	const kind = name.slice(name.lastIndexOf(".") + 1);
	const [, what] = METRICS[kind] || ["", kind];
	return `Time ${what}. Each curve shows how many are done within a time: further left is better. ` +
		"To the right and upwards, each step is ten times longer, and ten times rarer.";
}

const LEVELS = [[0, "the fastest"], [0.30103, "half of all"], [1, "9 of 10"], [2, "99 of 100"],
	[3, "999 of 1,000"], [4, "9,999 of 10,000"], [5, "all but 1 in 100,000"]];

function curve_points(hist) {
	const out = [[hist.min, 0]];
	for (let i = 0; i + 1 < hist.curve.length; i += 2) {
		const below = hist.curve[i + 1];
		out.push([hist.curve[i], below < hist.count ? -Math.log10(1 - below / hist.count) :
			Math.log10(hist.count) + 0.15]);
	}
	return out;
}

function draw_curves(holder, name) {
	const width = holder.clientWidth || 1000, narrow = width < 620;
	const sets = RUNS.filter(run => run.hists[name]).map(run =>
		({ run, hist: run.hists[name], points: curve_points(run.hists[name]) }));
	const size = { left: narrow ? 92 : 150, right: width - (narrow ? 110 : 175), top: 14, bottom: 290 };
	const high = Math.max(1.2, ...sets.map(set => Math.log10(set.hist.count) + 0.15));
	const values = sets.flatMap(set => [set.hist.min, set.hist.max]).filter(v => v > 0);
	const deadline = FOCUS && FOCUS.deadline && name === `${FOCUS.path}.response` ? FOCUS.deadline : 0;
	if (deadline)
		values.push(deadline);
	const low = Math.log10(Math.max(Math.min(...values), 100)) - 0.1;
	const last = Math.max(Math.log10(Math.max(...values)) + 0.1, low + 1);
	size.x = ns => size.left + (Math.max(Math.log10(Math.max(ns, 1)), low) - low) / (last - low) *
		(size.right - size.left);
	size.y = level => size.bottom - level / high * (size.bottom - size.top);
	const svg = draw("svg", { viewBox: `0 0 ${width} 326`, width, height: 326, role: "img",
		"aria-label": curve_summary(sets, name) });
	svg.append(curve_grid(size, low, last, high, narrow),
		deadline ? deadline_line(size, deadline) : "", ...sets.map(set => curve_line(size, set)),
		...curve_ends(size, sets));
	holder.replaceChildren(svg);
}

function curve_summary(sets, name) {
	return `${hist_words(name)}. ` + sets.map(({ run, hist }) => `${run.policy}: half within ` +
		`${time(hist.p50)}, 99 of 100 within ${time(hist.p99)}, worst ${time(hist.max)}`).join("; ");
}

function decades(low, last, steps) {
	const out = [];
	for (let power = Math.floor(low); power <= last; power++)
		out.push(...steps.map(step => step * 10 ** power));
	return out.filter(value => Math.log10(value) >= low && Math.log10(value) <= last);
}

function curve_grid(size, low, last, high, narrow) {
	const out = [];
	const steps = last - low < 2.2 ? [1, 2, 5] : [1];
	for (const value of decades(low, last, steps)) {
		const x = size.x(value);
		out.push(draw("line", { x1: x, x2: x, y1: size.top, y2: size.bottom, class: "grid" }),
			draw("text", { x, y: size.bottom + 18, "text-anchor": "middle", class: "soft" },
				time(value)));
	}
	for (const [level, words] of LEVELS) {
		if (level > high)
			break;
		const y = size.y(level);
		out.push(draw("line", { x1: size.left, x2: size.right, y1: y, y2: y, class: "grid" }),
			draw("text", { x: size.left - 8, y: y + 4, "text-anchor": "end", class: "soft" },
				narrow ? words.replace(" of ", "/").replace("the fastest", "0") : words));
	}
	return draw("g", {}, out);
}

function deadline_line(size, deadline) {
	const x = size.x(deadline);
	return draw("g", {},
		draw("rect", { x, y: size.top, width: Math.max(size.right - x, 0),
			height: size.bottom - size.top, fill: "var(--late)", opacity: 0.07 }),
		draw("line", { x1: x, x2: x, y1: size.top, y2: size.bottom, class: "late-line",
			"stroke-dasharray": "5 4", "stroke-width": 1.5 }),
		draw("text", { x: x + 6, y: size.bottom - 8, class: "halo", style: "fill:var(--late)",
			...(x > size.right - 100 ? { x: x - 6, "text-anchor": "end" } : {}) },
		`too late: ${time(deadline)}`));
}

const DASHES = [null, null, "7 4", "2 4", "9 3 2 3"];

function curve_line(size, set) {
	let d = "";
	set.points.forEach(([value, level], i) => {
		const x = size.x(value).toFixed(1), y = size.y(level).toFixed(1);
		d += i ? `H${x}V${y}` : `M${x} ${y}`;
	});
	return draw("path", { d, fill: "none", stroke: colour(set.run), "stroke-width": 2.6,
		"stroke-linejoin": "round", "stroke-dasharray": DASHES[RUNS.indexOf(set.run) % 5] });
}

// Each curve's name at its end, or, where others end, in the margin with a piece of its line.
function curve_ends(size, sets) {
	const out = [], taken = [];
	const ends = sets.map(set => ({ set, x: size.x(set.hist.max),
		y: size.y(set.points[set.points.length - 1][1]) }));
	let slot = 0;
	for (const end of ends) {
		const name = title_of(end.set.run), wide = Math.max(name.length * 7.6, 96) + 14;
		const box = { x: end.x, y: end.y - 8, right: end.x + wide, bottom: end.y + 22 };
		const free = box.right < size.right + 150 && !taken.some(other => box.x < other.right &&
			other.x < box.right && box.y < other.bottom && other.y < box.bottom) &&
			!ends.some(other => other !== end && other.x > box.x - 3 && other.x < box.right);
		out.push(draw("circle", { cx: end.x, cy: end.y, r: 4, fill: colour(end.set.run) }));
		if (free)
			taken.push(box);
		out.push(...curve_name(end.set, name, free ? end.x + 9 : size.right + 14,
			free ? end.y + 4 : size.top + 60 + 50 * slot, !free));
		slot += !free;
	}
	return out;
}

function curve_name(set, name, x, y, with_line) {
	const line = with_line ? draw("path", { d: `M${x} ${y - 14}h34`, stroke: colour(set.run),
		"stroke-width": 2.6, "stroke-dasharray": DASHES[RUNS.indexOf(set.run) % 5] }) : "";
	return [line, draw("text", { x, y, class: "strong halo", style: `fill:${colour(set.run)}` }, name),
		draw("text", { x, y: y + 14, class: "soft halo" }, `worst ${time(set.hist.max)}`)];
}

// ---- tables ---------------------------------------------------------------------------------------------

function tasks_of_scenario() {
	const of = (vm, tasks, silent) => tasks.map(task => ({ vm, task, silent,
		path: `task.${vm}/${task.name}`, label: vm === "host" ? `host task ${task.name}` :
			`${vm}/${task.name}` }));
	return DATA.scenario.vms.flatMap(vm => of(vm.name, vm.tasks)).concat(of("host",
		DATA.scenario.host));
}

function is_focus(t) {
	return FOCUS && t.path === FOCUS.path;
}

const COLUMNS = ["typical (p50)", "p90", "p99", "p99.9", "worst"];
const FIELDS = ["p50", "p90", "p99", "p999", "max"];

// What a task is judged by: its own latency, or else how long its VM waits for a CPU.
function table_hist(t) {
	const kinds = ["response", "wakeup", "lock", "ipi"];
	const kind = is_focus(t) && FOCUS.metric ? FOCUS.metric : kinds.find(k => RUNS.some(run =>
		run.hists[`${t.path}.${k}`]));
	if (kind)
		return [`${t.path}.${kind}`, METRICS[kind]];
	const waits = `vm.${t.vm}.waits`;
	return RUNS.some(run => run.hists[waits]) ? [waits, METRICS.waits] : [null, null];
}

function everybody() {
	const tasks = tasks_of_scenario().filter(t => RUNS.some(run => `${t.path}.work` in run.rows ||
		`${t.path}.jobs` in run.rows));
	if (!tasks.length || !RUNS.length)
		return null;
	tasks.sort((a, b) => is_focus(b) - is_focus(a));
	const head = make("tr", {}, make("th", {}, ""), COLUMNS.map(c => make("th", {}, c)),
		make("th", {}, "missed"), make("th", {}, "jobs done"), make("th", {}, "work done"));
	return make("section", {}, make("h2", {}, "What everybody gets"),
		make("p", { class: "soft" }, "The task in focus first, then everybody beside it: a policy " +
			"is only good when these do not pay for it."),
		make("div", { class: "scroll" }, make("table", {}, make("thead", {}, head),
			make("tbody", {}, tasks.slice(0, 24).flatMap(task_rows)))));
}

function urgency_words(task) {
	return ["", "idle", "background", "normal", "interactive", "real-time"][task.urgency] || "";
}

function task_rows(t) {
	const [name, metric] = table_hist(t);
	const about = [t.task.count > 1 ? `${t.task.count} of it` : "", urgency_words(t.task),
		t.task.deadline ? `deadline ${time(t.task.deadline)}` : ""].filter(x => x).join(", ");
	const head = make("tr", { class: "group" }, make("td", { colspan: 9 },
		make("b", {}, t.label), about ? ` (${about})` : "",
		metric ? make("span", { class: "soft" }, ` · ${metric[0]}: ${metric[1]}`) : ""));
	return [head, ...RUNS.map(run => task_row(t, run, name))];
}

function task_row(t, run, name) {
	const hist = name ? run.hists[name] : null;
	const work = row(run, `${t.path}.work`), before = row(BASE, `${t.path}.work`);
	const misses = row(run, `${t.path}.misses`), jobs = row(run, `${t.path}.jobs`);
	const share = work !== null && before && run !== BASE ? ` (${percent(work / before)})` : "";
	return make("tr", {}, make("td", {}, swatch(run), title_of(run)),
		FIELDS.map(field => make("td", {}, hist ? time(hist[field]) : "–")),
		make("td", { class: misses && t.task.deadline ? "no" : null },
			t.task.deadline && misses !== null ? whole(misses) : "–"),
		make("td", {}, jobs ? whole(jobs) : "–"),
		make("td", {}, work === null ? "–" : time(work) + share));
}

const HOST_ROWS = [["host.busy", "CPU time used"], ["host.idle", "CPU time idle"],
	["host.switches", "context switches"], ["host.fairness_error", "unfairness, at most"],
	["host.energy", "energy (proxy)"], ["pvs.boosts", "boosts"], ["pvs.denials", "boosts denied"],
	["pvs.overruns", "boosts that lasted too long"]];

function host() {
	const vms = DATA.scenario.vms.flatMap(vm => [[`vm.${vm.name}.share`, `share of VM ${vm.name}`],
		[`vm.${vm.name}.boosted`, `boosted time of VM ${vm.name}`]]).slice(0, 16);
	const tasks = tasks_of_scenario().slice(0, 8).flatMap(t => [
		[`${t.path}.spin`, `CPU time that ${t.label} spins`],
		[`${t.path}.held_preempted`, `times ${t.label} is preempted with a lock`]]);
	const rows = HOST_ROWS.concat(vms, tasks).filter(([name]) => RUNS.some(run => row(run, name)));
	if (!rows.length)
		return null;
	return make("section", {}, make("h2", {}, "The host as a whole"),
		make("div", { class: "scroll" }, make("table", {},
			make("thead", {}, make("tr", {}, make("th", {}, ""), RUNS.map(run =>
				make("th", {}, swatch(run), title_of(run))))),
			make("tbody", {}, rows.map(([name, words]) => make("tr", {}, make("td", {}, words),
				RUNS.map(run => make("td", {}, name in run.rows ?
					quantity(...run.rows[name]) : "–"))))))));
}

// ---- decisions --------------------------------------------------------------------------------------------

function decisions() {
	const panels = RUNS.map(run => [run, reasons_in(run)]).filter(([, list]) => list.length)
		.map(([run, list]) => make("div", { class: "panel" },
			make("h3", {}, swatch(run), title_of(run)), reason_bars(run, list)));
	if (!panels.length)
		return null;
	return make("section", {}, make("h2", {}, "Why the library decided as it did"),
		make("p", { class: "soft" }, "Decisions that were new, by their reason."),
		make("div", { class: panels.length > 1 ? "two" : "" }, panels));
}

function reasons_in(run) {
	return Object.keys(run.rows).filter(name => name.startsWith("pvs.reason.") && row(run, name))
		.map(name => ({ name: name.slice(11), count: row(run, name) }))
		.sort((a, b) => b.count - a.count);
}

function reason_bars(run, list) {
	const most = list[0].count;
	const plain = name => name.toLowerCase().replace(/-/g, "_");
	const words = name => (DATA.reasons.find(([word]) => word === plain(name)) || [0, name])[1];
	return make("div", { class: "bars" }, list.slice(0, 16).flatMap(({ name, count }) => [
		make("span", {}, words(name)),
		make("span", { class: "bar", style: `width:${100 * count / most}%;background:${colour(run)}` }),
		make("span", { class: "n" }, whole(count))]));
}

// ---- sweeps -------------------------------------------------------------------------------------------------

function sweeps() {
	if (!DATA.sweep)
		return null;
	return make("section", {}, make("h2", {}, "What if it were different?"),
		make("p", { class: "soft" }, "Each cell is a run of its own, or what several say of " +
			"each other. The stronger its colour, the larger."),
		...DATA.sweep.shows.map(sweep_panel));
}

function is_time(text) {
	return /\.(wakeup|response|lock|ipi|waits)\.(mean|p\d+|max|min)\s*$/.test(text) &&
		!/\s[-+*/]\s/.test(text);
}

function sweep_panel(show) {
	const axes = DATA.sweep.axes, numbers = show.values.filter(value => value !== null);
	const low = Math.min(...numbers), high = Math.max(...numbers);
	const say = value => value === null ? "failed" : is_time(show.text) ? time(value) : number(value);
	const across = axes[axes.length - 1], down = axes.length > 1 ? axes[axes.length - 2] : null;
	const size = across.values.length * (down ? down.values.length : 1);
	const panel = make("div", { class: "panel" }, make("h3", {}, make("code", {}, show.text)));
	for (let at = 0; at < show.values.length; at += size) {
		const outer = outer_words(axes, at);
		if (outer)
			panel.append(make("p", { class: "soft" }, outer));
		panel.append(make("div", { class: "scroll" }, heat_map(across, down,
			show.values.slice(at, at + size), low, high, say)));
	}
	return panel;
}

function outer_words(axes, at) {
	const words = [];
	let step = axes.slice(-2).reduce((product, axis) => product * axis.values.length, 1);
	for (let i = axes.length - 3; i >= 0; i--) {
		words.unshift(`${axes[i].path} = ${axes[i].values[Math.floor(at / step) % axes[i].values.length]}`);
		step *= axes[i].values.length;
	}
	return words.join(", ");
}

function heat_map(across, down, values, low, high, say) {
	const cell = value => {
		const part = value === null || high === low ? 0 : (value - low) / (high - low);
		return make("td", { style: value === null ? "background:var(--grid)" :
			`background:color-mix(in oklab, var(--heat) ${(8 + 72 * part).toFixed(0)}%, var(--panel));` +
			`color:${part > 0.5 ? "var(--panel)" : "var(--ink)"}` }, say(value));
	};
	const wide = across.values.length;
	const rows = (down ? down.values : [""]).map((name, i) => make("tr", {},
		make("th", {}, name), values.slice(i * wide, (i + 1) * wide).map(cell)));
	return make("table", { class: "heat" },
		make("thead", {}, make("tr", {}, make("th", {}, down ? `${down.path} ↓` : ""),
			make("th", { colspan: wide, style: "text-align:center" }, `${across.path} →`)),
		make("tr", {}, make("th", {}, ""), across.values.map(name => make("th", {}, name)))),
		make("tbody", {}, rows));
}

// ---- checks, models, how to repeat it -------------------------------------------------------------------------

function side(assert, value) {
	const time_like = /\.(wakeup|response|lock|ipi|waits)\.(mean|p\d+|max|min)/.test(assert.text);
	return time_like && Math.abs(value) >= 1000 ? time(value) : number(value);
}

function checks() {
	if (!DATA.asserts.length && !DATA.figures.length)
		return null;
	const asserts = DATA.asserts.map(a => make("tr", {},
		make("td", { class: "words" }, make("code", {}, a.text),
			a.error ? make("div", { class: "no" }, a.error) : ""),
		make("td", {}, a.relation && !a.error ?
			`${side(a, a.left)} ${a.relation} ${side(a, a.right)}` : "–"),
		make("td", {}, make("b", { class: a.holds ? "ok" : "no" }, a.holds ? "✓ holds" : "✗ fails"))));
	const figures = DATA.figures.map(f => make("tr", {},
		make("td", { class: "words" }, make("code", {}, `${f.name} = ${f.text}`),
			f.error ? make("div", { class: "no" }, f.error) : ""),
		make("td", {}, make("b", {}, number(f.value))), make("td", {}, "figure")));
	return make("section", {}, make("h2", {}, "What was checked"),
		make("div", { class: "scroll" }, make("table", {}, make("tbody", {}, asserts, figures))));
}

function trust() {
	const gap = DATA.gap_ppm;
	const words = gap === null ?
		"The fair-host model is not calibrated here: no ratio of it says anything of a real host." :
		`The fair-host model was compared with real threads on Linux: shares and waits differ by at ` +
		`most ${percent(gap / 1e6)} (calibration gap).`;
	const rows = DATA.models.map(m => make("tr", {}, make("td", {}, m.kind),
		make("td", { class: "name" }, make("code", {}, m.name)),
		make("td", { class: "words" }, m.what || ""),
		make("td", { class: "words" }, m.leaves_out || "–")));
	return make("section", {}, make("h2", {}, "How far to trust it"),
		make("p", { class: gap === null ? "note" : null }, words),
		make("p", {}, "A simulation shows orders, signs and bounds, not the percentages of a machine " +
			"with a name. What each model leaves out:"),
		rows.length ? make("div", { class: "scroll" }, make("table", {},
			make("thead", {}, make("tr", {}, ["model", "name", "what it does",
				"what it leaves out"].map(h => make("th", { class: "words" }, h)))),
			make("tbody", {}, rows))) : null);
}

function again() {
	const s = DATA.scenario;
	const rows = RUNS.map(run => make("tr", {}, make("td", {}, swatch(run), title_of(run)),
		make("td", { class: "words" }, [run.sched, run.role, run.yielder].filter(x => x).join(" + ") +
			(run.defects.length ? `, with the defects ${run.defects.join(", ")}` : "")),
		make("td", {}, whole(run.events)), make("td", {}, make("code", {}, run.hash))));
	return make("section", {}, make("h2", {}, "Do it again"),
		DATA.command ? make("pre", {}, DATA.command) : null,
		make("p", {}, "The same file and seed give the same trace, bit for bit, on every machine."),
		s.source ? make("p", {}, make("b", {}, "Source: "), s.source) : null,
		rows.length ? make("div", { class: "scroll" }, make("table", {},
			make("thead", {}, make("tr", {}, make("th", {}, "run"),
				make("th", { class: "words" }, "scheduler + role + yield"), make("th", {}, "events"),
				make("th", {}, "hash of the trace"))), make("tbody", {}, rows))) : null,
		s.file ? make("details", {}, make("summary", {}, "The scenario, with all its parameters"),
			make("pre", {}, s.file)) : null);
}

// ---- the page ------------------------------------------------------------------------------------------------

function show() {
	const page = document.getElementById("page");
	const parts = DATA.sweep ? [headline, sweeps, moment, curves, everybody, host, decisions] :
		[headline, cards, moment, curves, everybody, host, decisions];
	parts.push(checks, trust, again);
	page.append(hatch_pattern(), ...parts.flatMap(part => part()).filter(node => node));
}

show();
