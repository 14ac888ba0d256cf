//! Each page as a browser draws it: nothing is missing in it, shifts or weighs much, and everybody can use it.

use std::{fs, sync::LazyLock};

use serde_json::{Value, json};

use crate::{showcase::Showcase, tab::Tab};

/// The most bytes of a page with all that it loads.
const MOST_BYTES: f64 = 150_000.0;

/// A shift that nobody sees: a rounded pixel.
const INVISIBLE: f64 = 0.0001;

/// A window on a desk, and a phone.
const DESK: (u32, u32) = (1280, 900);
const PHONE: (u32, u32) = (390, 844);

/// The rules of WCAG 2.2 at the levels A and AA, where `make tools` puts them.
static AXE: LazyLock<String> = LazyLock::new(|| {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/axe/node_modules/axe-core/axe.min.js");
    fs::read_to_string(path).unwrap_or_else(|error| panic!("`make tools` sets up {path}: {error}"))
});

/// All of them.
const ALL: &str = "{ type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }";

/// Those of which colours and sizes decide.
const LOOKS: &str =
    "{ type: 'rule', values: ['color-contrast', 'scrollable-region-focusable', 'target-size'] }";

/// What breaks a rule, with the places.
const VIOLATIONS: &str = "axe.run(document, { runOnly: RULES, resultTypes: ['violations'] }).then(found => found.violations.map(rule =>
        `${rule.id}: ${rule.nodes.map(node => `${node.html} (${node.failureSummary})`).join('; ')}`))";

/// How far things moved while the page was drawn, and which of them from where to where, seen after two more frames.
const SHIFTS: &str = "new Promise(done => {
        const shifts = [];
        const place = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(' ');
        const moved = ({ node, previousRect, currentRect }) =>
            `${node?.outerHTML?.slice(0, 100)} from ${place(previousRect)} to ${place(currentRect)}`;
        const keep = ({ value, sources }) => shifts.push([value, sources.map(moved).join('; ')]);
        new PerformanceObserver(seen => seen.getEntries().forEach(keep))
            .observe({ type: 'layout-shift', buffered: true });
        requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(shifts), 0)));
    })";

/// What stands out at the right of the window, where nobody sees it. What scrolls by itself may.
const CUT: &str = "document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('main *, header *')]
        .filter(thing => thing.getBoundingClientRect().right > innerWidth)
        .map(thing => thing.outerHTML.slice(0, 200))";

/// A page, and the buttons that one presses there to see it.
pub(crate) struct Shown {
    pub(crate) name: &'static str,
    pub(crate) path: String,
    pub(crate) then: &'static [&'static str],
}

fn page(name: &'static str, path: impl Into<String>) -> Shown {
    Shown { name, path: path.into(), then: &[] }
}

/// Every page of the console; those that change something come last.
pub(crate) fn pages(of: &Showcase) -> Vec<Shown> {
    let prompt = |id: &str, rest: &str| format!("/console/prompts/{id}{rest}");
    let version = |rest: &str| format!("/console/versions/{}{rest}", of.refused);
    let mut all = vec![
        page("overview", "/console"),
        page("prompts", "/console/prompts"),
        page("prompts-none", "/console/prompts?q=nothing-like-that"),
        page("new-prompt", "/console/prompts/new"),
        page("prompt", prompt(&of.classifier, "")),
        page("prompt-tried", prompt(&of.subjects, "")),
        page("prompt-empty", prompt(&of.empty, "")),
        page("editor", prompt(&of.replies, "/edit")),
        page("editor-messages", prompt(&of.empty, "/edit?kind=messages")),
        page("settings", prompt(&of.classifier, "/settings")),
        page("diff", prompt(&of.replies, "/diff?from=1&to=3")),
        page("diff-inline", prompt(&of.changelog, "/diff?from=1&to=3&view=inline")),
        page("version", version("")),
        page("promote", version("/promote?env=staging")),
        page("rollback", prompt(&of.changelog, "/rollback?env=production")),
        page("lock", prompt(&of.changelog, "/lock?env=production")),
        page("new-canary", version("/canary")),
        page("canary", format!("/console/canaries/{}", of.canary)),
        page("new-experiment", prompt(&of.changelog, "/experiments")),
        page("experiment", format!("/console/experiments/{}", of.experiment)),
        page("rating", format!("/console/experiments/{}/rate", of.experiment)),
        page("run-failed", format!("/console/runs/{}", of.refused_run)),
        page("run-open", format!("/console/runs/{}", of.open_run)),
        page("run-undecided", format!("/console/runs/{}", of.undecided_run)),
        page("review", "/console/review"),
        page("test-sets", "/console/test-sets"),
        page("test-set", format!("/console/test-sets/{}", of.test_set)),
        page("dashboard", "/console/dashboard"),
        page("dashboard-versions", "/console/dashboard?by=version"),
        page("audit", format!("/console/audit?prompt={}", of.changelog)),
        page("models", "/console/models"),
        page("keys", "/console/keys?team=support"),
        page("not-found", "/console/prompts/prm_none"),
    ];
    all.extend([
        Shown {
            then: &["Go to the next stage now"],
            ..page("canary-asked", format!("/console/canaries/{}", of.canary))
        },
        Shown {
            then: &["Stop the experiment"],
            ..page("experiment-asked", format!("/console/experiments/{}", of.experiment))
        },
        Shown {
            then: &["Promote version 3 to production"],
            ..page("promote-refused", version("/promote?env=production"))
        },
        Shown {
            then: &["Roll back production"],
            ..page("rolled-back", prompt(&of.changelog, "/rollback?env=production"))
        },
    ]);
    all
}

/// Opens a page as one comes to it.
pub(crate) async fn open(tab: &mut Tab, page: &Shown) {
    tab.go(&page.path).await;
    for button in page.then {
        tab.follow(button).await;
    }
}

/// How many bytes came for the page that was opened last.
fn weight(tab: &Tab) -> f64 {
    let loaded = tab.happened().iter().filter(|event| event["method"] == "Network.loadingFinished");
    loaded.map(|event| event["params"]["encodedDataLength"].as_f64().unwrap()).sum()
}

/// What is wrong with the page that was opened last.
async fn wrong(tab: &mut Tab, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let bytes = weight(tab);
    if !(1_000.0..MOST_BYTES).contains(&bytes) {
        found.push(format!("it weighs {bytes} bytes"));
    }
    let shifts = tab.js::<Vec<(f64, String)>>(SHIFTS).await.into_iter();
    let visible = shifts.filter(|(shift, _)| *shift > INVISIBLE);
    found.extend(visible.map(|(shift, things)| format!("it shifts by {shift}: {things}")));
    tab.js::<Value>(&format!("{};null", *AXE)).await;
    for (scheme, (width, height), rules) in [("light", DESK, ALL), ("dark", PHONE, LOOKS)] {
        tab.coloured(scheme).await;
        tab.sized(width, height).await;
        found.extend(tab.js::<Vec<String>>(&VIOLATIONS.replace("RULES", rules)).await);
        let cut = tab.js::<Vec<String>>(CUT).await;
        found.extend(cut.into_iter().map(|thing| format!("at {width} it cuts off {thing}")));
    }
    tab.insist_on_peace();
    tab.coloured("light").await;
    tab.sized(DESK.0, DESK.1).await;
    found.into_iter().map(|wrong| format!("{name}: {wrong}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_light_still_and_for_everybody() {
    let showcase = Showcase::start().await;
    let mut nobody = Tab::open(showcase.stage.platform.url()).await;
    nobody.call("Network.setCacheDisabled", json!({ "cacheDisabled": true })).await;
    nobody.go("/console/sign-in").await;
    let mut found = wrong(&mut nobody, "sign-in").await;
    let mut tab = showcase.stage.admin().await;
    tab.call("Network.setCacheDisabled", json!({ "cacheDisabled": true })).await;
    for page in pages(&showcase) {
        open(&mut tab, &page).await;
        found.extend(wrong(&mut tab, page.name).await);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
