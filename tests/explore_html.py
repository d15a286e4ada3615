# SPDX-License-Identifier: MIT
"""The page of a run in a browser: what is there, what answers, how fast.

usage: explore_html.py DIRECTORY    with small.html, middle.html, large.html;
prints TAP; screenshots go to SEAM_SCREENSHOTS, if that is set
"""
import json
import os
import re
import sys
import traceback

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE = 60  # seconds: a slow machine is no failure
INTERACTIVE_MS = 2000
directory = sys.argv[1]
number = 0
failed = False


def browser():
    options = webdriver.ChromeOptions()
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--disable-background-networking", "--no-first-run", "--window-size=1500,950"):
        options.add_argument(word)
    options.binary_location = os.environ["CHROMIUM"]
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service(os.environ["CHROMEDRIVER"]), options=options)


driver = browser()
driver.set_script_timeout(PATIENCE)


def js(text, *arguments):
    return driver.execute_script(text, *arguments)


def until(text, *arguments):
    WebDriverWait(driver, PATIENCE, 0.02).until(lambda d: d.execute_script("return " + text, *arguments))


def must(condition, *what):
    if not condition:
        raise AssertionError(" ".join(map(str, what)))


def test(what):
    """One line of TAP."""
    def decorator(body):
        global number, failed
        number += 1
        try:
            body()
            errors = [e for e in driver.get_log("browser") if e["level"] != "DEBUG"]
            must(not errors, "the console:", errors)
            print(f"ok {number} - {what}", flush=True)
        except Exception:
            failed = True
            for line in traceback.format_exc().rstrip().split("\n"):
                print("#", line)
            print(f"not ok {number} - {what}", flush=True)
        return body
    return decorator


def open_page(name):
    driver.get("about:blank")
    driver.get("file://" + os.path.join(directory, name))
    until("document.documentElement.dataset.ready === 'yes'")


def drawn():
    """What has been asked for is drawn in the frame after the next."""
    driver.execute_async_script(
        "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done)))")


def shot(name):
    if "SEAM_SCREENSHOTS" in os.environ:
        driver.save_screenshot(os.path.join(os.environ["SEAM_SCREENSHOTS"], name + ".png"))


def run_of(name):
    with open(os.path.join(directory, name), encoding="utf-8") as f:
        return re.search(r'(<script type="application/json" id="run">\n)(.*?)(\n</script>)', f.read(), re.S)


def with_run(name, new, change):
    """The same page of another run."""
    found = run_of(name)
    run = json.loads(found[2])
    change(run)
    text = json.dumps(run).replace("<", "\\u003c")
    with open(os.path.join(directory, new), "w", encoding="utf-8") as f:
        f.write(found.string[:found.start(2)] + text + found.string[found.end(2):])
    return run


def rows():
    return js("return [...document.querySelectorAll('#rows .row')]"
              ".sort((a, b) => a.dataset.step - b.dataset.step)"
              ".map(r => [+r.dataset.step, ...[...r.children].map(c => c.textContent)])")


def all_rows():
    """Scrolled through from the first to the last."""
    seen = {}
    js("const l = document.getElementById('list'); l.scrollTop = 0; l.dispatchEvent(new Event('scroll'))")
    while True:
        before = js("return document.getElementById('list').scrollTop")
        drawn()
        for step, *cells in rows():
            seen[step] = cells
        js("const l = document.getElementById('list'); l.scrollTop += l.clientHeight - 60")
        if js("return document.getElementById('list').scrollTop") == before:
            return seen


def text(selector):
    return js("return document.querySelector(arguments[0]).innerText", selector)


def click_step(i):
    """With the pointer, where the step is drawn."""
    place = js("return seam.place(arguments[0])", i)
    actions = ActionChains(driver)
    actions.w3c_actions.pointer_action.move_to_location(round(place["x"]), round(place["y"]))
    actions.w3c_actions.pointer_action.click()
    actions.perform()


def key(*keys):
    driver.switch_to.active_element.send_keys(*keys)


def colours_at(i):
    """The different colours of the canvas around a step."""
    return js("""
        const place = seam.place(arguments[0]), c = document.getElementById('canvas');
        const box = c.getBoundingClientRect(), k = c.width / box.width;
        const copy = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        copy.drawImage(c, 30 - (place.x - box.left) * k, 30 - (place.y - box.top) * k);
        const d = copy.getImageData(0, 0, 60, 60).data;
        const seen = {};
        for (let p = 0; p < d.length; p += 4) {
            const name = [d[p], d[p + 1], d[p + 2]].join();
            seen[name] = (seen[name] || 0) + 1;
        }
        return seen""", i)


def rgb(variable):
    """A colour of the page's theme."""
    value = js("return getComputedStyle(document.documentElement).getPropertyValue(arguments[0]).trim()", variable)
    return ",".join(str(int(value[k:k + 2], 16)) for k in (1, 3, 5))


small = json.loads(run_of("small.html")[2])
steps = small["events"]["thread"]
savings = [i for i, op in enumerate(small["events"]["op"]) if small["ops"][op] == "mutex.lock"]
waiting = [len(steps) + t for t, th in enumerate(small["threads"]) if th["state"] == "waits"]


@test("a short run: every event is in the list, in order")
def _():
    open_page("small.html")
    shot("small")
    seen = all_rows()
    must(sorted(seen) == list(range(len(steps))) + waiting, sorted(seen))
    for i in waiting:
        pending = small["threads"][i - len(steps)]["pending"]
        must(seen[i][2] == "waits: " + small["ops"][pending["op"]], seen[i])
        must(seen[i][5] == small["sites"][pending["site"]], seen[i])
    for i in range(len(steps)):
        cells = seen[i]
        must(cells[0].split()[-1] == str(i + 1), cells)
        must(cells[2].split()[0] == small["ops"][small["events"]["op"][i]], cells)
        must(cells[5] == small["sites"][small["events"]["site"][i]], cells)


@test("what failed, the figures, how to run it again")
def _():
    must(text("#fault") == "deadlock", text("#fault"))
    must(text("#headline") == small["message"].split("\n")[0], text("#headline"))
    must("held by P1.T0" in text("#report"), text("#report"))
    must(text("#figures").startswith(f"{len(steps)} steps \u00b7 3 threads \u00b7 "), text("#figures"))
    must(text("#figures").endswith(" 1 preemption"), text("#figures"))
    js("document.getElementById('run-card').open = true")
    must("seam replay " + small["replay"] in text("#facts"), text("#facts"))
    must("abba" in driver.title and "deadlock" in driver.title, driver.title)


@test("each event is drawn in its thread's lane and answers a click, with its source")
def _():
    for i in range(len(steps)):
        click_step(i)
        until("seam.state.selected === arguments[0]", i)
        must(len(colours_at(i)) > 2, "nothing is drawn at", i)
        site = small["sites"][small["events"]["site"][i]]
        if not site:
            continue
        line = site.rsplit(":", 1)[1]
        here = text("#event .line.here")
        must(here.split()[0] == line, here, line)
    i = savings[0]
    click_step(i)
    must("pthread_mutex_lock(&" in text("#event .line.here"), text("#event"))
    must("abba.c" in text("#event .file"), text("#event"))


@test("what it waits for at the end is told, with its line")
def _():
    js("seam.select(arguments[0], true)", savings[-1])
    must("At the end it waits: mutex.lock" in text("#event"), text("#event"))
    must(js("return document.querySelectorAll('#event .line.here').length") == 2)


def marked(page, a, b):
    """A before B, in the header, the list and the lanes, and nothing else."""
    open_page(page)
    shot("critical-" + page.removesuffix(".html"))
    run = json.loads(run_of(page)[2])
    must(run["critical"] == [a, b], run["critical"])
    must(js("return !document.getElementById('pair').hidden"))
    must(text("#because") == run["because"] != "", text("#because"))
    for i, name in ((a, "A"), (b, "B")):
        button = text("#pair-" + name.lower())
        number = f"#{i + 1} " if i < len(steps) else "at the end "
        must(re.sub(r"\s+", " ", button).startswith(f"{name} {number}") or button.startswith(name + number), button)
        box = js("const b = document.getElementById('pair-' + arguments[0]).getBoundingClientRect();"
                 "return [b.top, b.bottom, innerHeight]", name.lower())
        must(0 <= box[0] < box[1] <= box[2], box)
    all_rows()
    found = js("return [...document.querySelectorAll('#rows .row.critical')].map(r => +r.dataset.step).sort((a, b) => a - b)")
    must(found == [a, b], found)
    js("seam.select(0, false)")
    drawn()
    for i in (a, b):
        must(rgb("--critical") in colours_at(i), "no mark at", i)
    must(rgb("--critical") not in colours_at(1), "a mark at 1")
    driver.find_element("id", "pair-b").click()
    must(js("return seam.state.selected") == b)
    must("Of the pair whose order decides" in text("#event"))
    must(text("#event .line.here"), "no source")


@test("the critical pair that was found is marked in the header, the list, the lanes")
def _():
    marked("small.html", *small["critical"])


@test("so is one that has both events in the run")
def _():
    with_run("small.html", "steps.html", lambda run: run.update(critical=savings[:2]))
    marked("steps.html", *savings[:2])


@test("and one of which the second never happened")
def _():
    with_run("small.html", "pending.html", lambda run: run.update(critical=[savings[0], waiting[-1]]))
    marked("pending.html", savings[0], waiting[-1])


@test("the page of a run without a critical pair has no place for it")
def _():
    open_page("found.html")
    must(json.loads(run_of("found.html")[2])["critical"] == [])
    must(js("return document.getElementById('pair').hidden"))
    all_rows()
    must(js("return document.querySelectorAll('.row.critical').length") == 0)
    must(rgb("--critical") not in colours_at(4))


@test("names and outputs are text, whatever is in them")
def _():
    evil = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>&amp;\u2028\"'`${1}"

    def change(run):
        run.update(output=evil, message=evil + "\nmore " + evil, because=evil, critical=[0, 1], replay=evil, dir=evil,
                   command=["/bin/" + evil, evil])
        for t in run["threads"]:
            t["name"] = evil
        for o in run["objects"]:
            o["name"] = evil
        run["sites"] = [evil + " a.c:1" for _ in run["sites"]]
        for s in run["sources"]:
            if s:
                s.update(path=evil, lines=[evil for _ in s["lines"]])
    with_run("small.html", "evil.html", change)
    open_page("evil.html")
    for i in range(len(steps)):
        js("seam.select(arguments[0], true)", i)
    js("document.querySelectorAll('details').forEach(d => { d.open = true })")
    must(js("return window.hacked") is None)
    must(js("return document.images.length") == 0)
    must(js("return document.getElementById('output').textContent") == evil)
    must(evil in js("return document.getElementById('event').textContent"))
    must(js("return document.scripts.length") == 2)


@test("what the program itself wrote cannot leave its place")
def _():
    open_page("hostile.html")
    must(js("return window.hacked") is None)
    must("</script><script>window.hacked" in js("return document.getElementById('output').textContent"))
    must(js("return document.scripts.length") == 2)


@test("keys: from event to event, the pair, zoom, the help")
def _():
    open_page("steps.html")
    driver.find_element("id", "lanes").click()
    key(Keys.HOME)
    must(js("return seam.state.selected") == 0)
    key(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    must(js("return seam.state.selected") == 2)
    key(Keys.ARROW_LEFT)
    must(js("return seam.state.selected") == 1)
    key("c")
    must(js("return seam.state.selected") == savings[0])
    key("c")
    must(js("return seam.state.selected") == savings[1])
    key("p")
    must("Preempts" in text("#event"), text("#event"))
    scale = js("return seam.view.scale")
    key("w")
    must(js("return seam.view.scale") > scale)
    key("f")
    must(abs(js("return seam.view.scale") - scale) < 1e-6)
    theme = js("return document.documentElement.dataset.theme")
    key("t")
    must(js("return document.documentElement.dataset.theme") != theme)
    shot("other-theme")
    key("t")
    key("?")
    must(js("return document.getElementById('keys').open"))
    key(Keys.ESCAPE)
    must(not js("return document.getElementById('keys').open"))


middle = json.loads(run_of("middle.html")[2])


def visible():
    return js("return seam.shown()")


@test("some hundred events: each is there")
def _():
    open_page("middle.html")
    shot("middle")
    n = len(middle["events"]["thread"])
    must(150 <= n <= 500, n)
    seen = all_rows()
    must(sorted(seen) == list(range(n)), len(seen), "of", n)


@test("filters by thread and by object")
def _():
    n = len(middle["events"]["thread"])
    driver.find_element("css selector", "#threads-menu summary").click()
    driver.find_elements("css selector", "#threads-sheet label input")[2].click()
    must(visible() == [i for i in range(n) if middle["events"]["thread"][i] != 2])
    must(text("#threads-count") == f"{len(middle['threads']) - 1} of {len(middle['threads'])}")
    names = js("return [...document.querySelectorAll('.lane-name b')].map(b => b.textContent)")
    must("T0.2" not in names and "T0.1" in names, names)
    must(js("return seam.place(arguments[0])", middle["events"]["thread"].index(2)) is None)
    driver.find_element("css selector", "#threads-sheet .all button").click()
    must(len(visible()) == n)
    driver.find_element("css selector", "#objects-menu summary").click()
    sheet = driver.find_element("id", "objects-sheet")
    sheet.find_elements("css selector", ".all button")[1].click()
    must(visible() == [i for i in range(n) if middle["events"]["object"][i] < 0])
    lock = next(k for k, o in enumerate(middle["objects"]) if o["name"] == "lock")
    sheet.find_elements("css selector", "label input")[lock].click()
    must(visible() == [i for i in range(n) if middle["events"]["object"][i] in (-1, lock)])
    must(sorted(all_rows()) == visible())
    sheet.find_elements("css selector", ".all button")[0].click()
    must(len(visible()) == n)
    key(Keys.ESCAPE)


@test("search: how many, from one to the next, none")
def _():
    wanted = [i for i, op in enumerate(middle["events"]["op"]) if middle["ops"][op] == "cond.signal"]
    box = driver.find_element("id", "search")
    js("seam.select(0, false)")
    box.send_keys("COND.signal")
    must(js("return seam.state.matches") == wanted)
    must(text("#found") == str(len(wanted)), text("#found"))
    box.send_keys(Keys.ENTER, Keys.ENTER)
    must(js("return seam.state.selected") == wanted[1])
    must(text("#found") == f"2 of {len(wanted)}", text("#found"))
    shot("search")
    box.clear()
    box.send_keys("#17")
    must(js("return seam.state.matches") == [16])
    box.clear()
    box.send_keys("nothing of the kind")
    must(text("#found") == "none")
    box.clear()
    must(js("return seam.state.isMatch") is None)


@test("pointing at a lock's bar says whose it is")
def _():
    thread, object_, start, end, *_ = max(middle["holds"], key=lambda h: h[3] - h[2])
    js("seam.select(arguments[0], true); document.getElementById('list').style.height = '90px'", start)
    drawn()
    place = js("""
        const name = arguments[0];
        const lane = [...document.querySelectorAll('.lane-name.object')].find(l => l.querySelector('b').textContent === name);
        const lanes = document.getElementById('lanes');
        lane.scrollIntoView({ block: 'nearest' });
        const box = lane.getBoundingClientRect();
        return { x: seam.place(arguments[1]).x, y: box.top + 12 }""", middle["objects"][object_]["name"], start)
    actions = ActionChains(driver)
    actions.w3c_actions.pointer_action.move_to_location(round(place["x"]), round(place["y"]))
    actions.perform()
    until("!document.getElementById('tip').hidden")
    must(f"#{start + 1} " in text("#tip") or "is held by" in text("#tip"), text("#tip"))
    must(middle["threads"][thread]["path"].removeprefix("P1.") in text("#tip"), text("#tip"))


large = json.loads(run_of("large.html")[2])


@test("ten thousand events: interactive within two seconds")
def _():
    n = len(large["events"]["thread"])
    must(n >= 10000, n)
    open_page("large.html")
    shot("large")
    took = js("return performance.getEntriesByName('seam:interactive')[0].duration")
    print(f"# interactive after {took:.0f} ms with {n} events")
    must(took < INTERACTIVE_MS, took)
    must(js("return document.querySelectorAll('*').length") < 2500, "too many elements")


@test("and quick to answer then: zoom, pan, search, the last and any event")
def _():
    n = len(large["events"]["thread"])
    took = js("""
        const begun = performance.now();
        for (let k = 0; k < 12; k++) {
            document.dispatchEvent(new KeyboardEvent('keydown', { key: 'w', bubbles: true }));
            document.dispatchEvent(new KeyboardEvent('keydown', { key: 'd', bubbles: true }));
        }
        const box = document.getElementById('search');
        box.value = 'mutex.unlock';
        box.dispatchEvent(new Event('input'));
        seam.select(5000, true);
        return performance.now() - begun""")
    print(f"# {took:.0f} ms for that")
    must(took < INTERACTIVE_MS, took)
    drawn()
    shot("large-zoomed")
    for i in (0, 4321, n - 1):
        js("seam.select(arguments[0], true)", i)
        until("document.getElementById('event-' + arguments[0]) !== null", i)
        must(f"step {i + 1} of {n}" in text("#event"), text("#event"))
        click_step(i)
        must(js("return seam.state.selected") == i)


@test("each of ten thousand is in the list when scrolled to")
def _():
    js("const b = document.getElementById('search'); b.value = ''; b.dispatchEvent(new Event('input'))")
    seen = js("""
        const l = document.getElementById('list'), seen = new Set();
        l.style.height = '4000px';
        return new Promise((done) => {
            let y = 0;
            const next = () => {
                for (const r of document.querySelectorAll('#rows .row'))
                    seen.add(+r.dataset.step);
                if (y > l.scrollHeight)
                    return done(seen.size);
                l.scrollTop = y;
                y += l.clientHeight;
                requestAnimationFrame(() => requestAnimationFrame(next));
            };
            next();
        })""")
    must(seen == len(large["events"]["thread"]), seen)


driver.quit()
print(f"1..{number}")
sys.exit(failed)
