//! Every page that a link leads to is there, is whole, and is small.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use console::App;
use local::{Output, Platform, Settings, demo};
use regex::Regex;
use tempfile::TempDir;
use web::{Doors, WRITES_PER_MINUTE};

use crate::{browser::Browser, scene::Scene};

/// The most bytes of a page.
const MOST_BYTES: usize = 150_000;

/// More pages than there are.
const MOST_PAGES: usize = 400;

/// Follows links from the overview on, and says which pages there are. Each is looked at.
pub(crate) async fn crawl(browser: &Browser, look: impl Fn(&str, &str)) -> BTreeSet<String> {
    let link = Regex::new(r##"href="(/console[^"#]*)""##).unwrap();
    let mut seen = BTreeSet::from(["/console".to_owned()]);
    let mut waiting = VecDeque::from(["/console".to_owned()]);
    while let Some(path) = waiting.pop_front() {
        let answer = browser.get(&path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let page = answer.text();
        if !answer.header("content-type").starts_with("text/html") {
            continue;
        }
        look(&path, &page);
        for found in link.captures_iter(&page) {
            let next = found[1].replace("&amp;", "&");
            if seen.insert(next.clone()) {
                waiting.push_back(next);
            }
        }
        assert!(seen.len() < MOST_PAGES, "there is no end of pages: {seen:?}");
    }
    seen
}

/// Insists that a page is whole and small.
pub(crate) fn is_whole(path: &str, page: &str) {
    assert!(page.len() < MOST_BYTES, "{path} has {} bytes", page.len());
    for wanted in ["<title>", "<main id=\"main\"", "<h1>", "</html>", "class=\"skip\""] {
        assert!(page.contains(wanted), "{path} has no {wanted}");
    }
    assert!(!page.contains("style=\""), "{path} has a style that its policy forbids");
    assert_eq!(page.matches("<script").count(), 1, "{path} has a script of its own");
    let table = page.matches("<table").count();
    assert_eq!(table, page.matches("<caption").count(), "{path} has a table without a caption");
    let ids: Vec<_> =
        Regex::new(r#" id="([^"]*)""#).unwrap().captures_iter(page).map(|id| id[1].to_owned()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{path} has an id twice: {ids:?}");
    let label = Regex::new(r#"<label for="([^"]*)""#).unwrap();
    for label in label.captures_iter(page) {
        assert!(ids.contains(&label[1].to_owned()), "{path} has a label for no field: {}", &label[1]);
    }
}

#[tokio::test]
async fn every_page_is_whole() {
    let scene = Scene::of("plain words").await;
    let browser = Browser::of_admin(&scene.world).await;
    let pages = crawl(&browser, is_whole).await;
    for kind in [
        "/console/prompts/new",
        "/console/review",
        "/console/test-sets/tst_",
        "/console/dashboard",
        "/console/audit",
        "/console/keys",
        "/console/models",
        "/console/versions/ver_",
        "/console/runs/evl_",
        "/console/experiments/exp_",
        "/console/canaries/rol_",
        "/edit",
        "/diff",
        "/settings",
        "/promote",
        "/rollback",
        "/canary",
        "/lock",
        "/experiments",
    ] {
        assert!(pages.iter().any(|page| page.contains(kind)), "no page of {kind}: {pages:?}");
    }
}

#[tokio::test]
async fn every_page_of_the_demo_workspace_is_whole() {
    let folder = TempDir::new().unwrap();
    let platform = Platform::start(Settings::new(folder.path())).await.unwrap();
    let loading = demo::load(&platform, Output::new(true));
    tokio::time::timeout(Duration::from_mins(5), loading).await.unwrap().unwrap();
    let release = platform.release().clone();
    let registry = &release.registry;
    let (cache, store, sources) = (registry.cache.clone(), registry.store.clone(), registry.sources.clone());
    let app = App::new(Doors::new(cache, store, sources, WRITES_PER_MINUTE), release).unwrap();
    let mut browser = Browser::new(&console::router(app));
    assert_eq!(browser.sign_in(&platform.admin_key()).await.status, 303);
    let pages = crawl(&browser, is_whole).await;
    assert!(pages.len() > 60, "{pages:?}");
    platform.stop().await;
}
