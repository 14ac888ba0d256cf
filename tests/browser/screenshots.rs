//! `make screenshots`: every page in the light, in the dark, and as wide as a phone, in `target/screenshots`.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{
    pages::{open, pages},
    showcase::Showcase,
    tab::Tab,
};

/// The pages that the README shows, in `docs/pictures`.
const PICTURES: [&str; 5] = ["overview", "editor", "run-failed", "experiment", "rollback"];

/// The schemes and sizes.
const LOOKS: [(&str, &str, u32, u32); 3] =
    [("light", "light", 1280, 900), ("dark", "dark", 1280, 900), ("phone", "light", 390, 844)];

async fn picture(tab: &Tab, options: serde_json::Value) -> Vec<u8> {
    let taken = tab.call("Page.captureScreenshot", options).await;
    STANDARD.decode(taken["data"].as_str().unwrap()).unwrap()
}

/// Types sample values, so that the preview shows something.
async fn write_in(tab: &mut Tab) {
    tab.fill("customer_name string", "Ann").await;
    tab.fill("message string", "Where is my notebook? It was to come on Monday.").await;
    tab.sees("Draft a reply to Ann, who wrote: Where is my notebook?").await;
}

async fn take(tab: &Tab, folder: &Path, name: &str) {
    for (look, scheme, width, height) in LOOKS {
        tab.coloured(scheme).await;
        tab.sized(width, height).await;
        let whole = picture(tab, json!({ "captureBeyondViewport": true })).await;
        fs::write(folder.join(format!("{name}-{look}.png")), whole).unwrap();
    }
    tab.coloured("light").await;
    tab.sized(1280, 800).await;
    if PICTURES.contains(&name) {
        let small = picture(tab, json!({ "format": "webp", "quality": 80 })).await;
        fs::write(folder.join(format!("{name}.webp")), small).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_taken() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../screenshots");
    fs::create_dir_all(&folder).unwrap();
    let showcase = Showcase::start().await;
    let mut nobody = Tab::open(showcase.stage.platform.url()).await;
    nobody.go("/console/sign-in").await;
    take(&nobody, &folder, "sign-in").await;
    let mut tab = showcase.stage.admin().await;
    tab.call("Emulation.setScrollbarsHidden", json!({ "hidden": true })).await;
    for page in pages(&showcase) {
        open(&mut tab, &page).await;
        if page.name == "editor" {
            write_in(&mut tab).await;
        }
        take(&tab, &folder, page.name).await;
    }
}
