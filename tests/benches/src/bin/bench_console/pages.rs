//! Pages as a browser asks for them.

use std::{
    collections::{BTreeMap, VecDeque, btree_map::Entry},
    time::Duration,
};

use axum::{
    Router,
    http::{Method, StatusCode},
};
use e2e::{
    ADMIN, Answer, Call, World,
    report::{line, word},
};
use tokio::time::Instant;

// Issue «Console»; targets.md.
const LONGEST: Duration = Duration::from_millis(50);
const MOST_BYTES: usize = 150_000;

/// The admin, signed in.
pub(crate) struct Reader {
    router: Router,
    cookie: String,
}

impl Reader {
    /// Signs in at a process that reaches the table as `local` does: past the proxy of faults.
    pub(crate) async fn sign_in(world: &World) -> Self {
        let router = world.another_process_past_faults(&world.registry().sources).await.router;
        let form = Call::new(Method::POST, "/console/sign-in")
            .bytes("application/x-www-form-urlencoded", format!("key={ADMIN}"));
        let answer = form.send(&router).await;
        let cookie = answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
        assert!(!cookie.is_empty(), "nobody was let in: {}", answer.text());
        Self { router, cookie }
    }

    async fn open(&self, path: &str) -> Answer {
        Call::get(path).header("cookie", &self.cookie).send(&self.router).await
    }

    /// A page of each kind that links lead to from the overview, by its kind; and those that a form leads to: a search
    /// for what only one prompt has, and the dashboard's lines.
    pub(crate) async fn kinds(&self) -> BTreeMap<String, String> {
        let begun = [
            "/console",
            "/console/prompts?q=prompt-499",
            "/console/dashboard?by=team&days=30",
            "/console/dashboard?by=prompt&days=30",
            "/console/dashboard?by=version&days=30",
        ];
        let mut found: BTreeMap<_, _> = begun.map(|path| (path.to_owned(), path.to_owned())).into();
        let mut waiting = VecDeque::from(["/console".to_owned()]);
        while let Some(path) = waiting.pop_front() {
            let page = self.open(&path).await.text();
            let links = page.split("href=\"").skip(1).filter_map(|rest| rest.split(['"', '#']).next());
            for link in links.filter(|link| link.starts_with("/console")) {
                let link = link.replace("&amp;", "&");
                if let Entry::Vacant(place) = found.entry(kind_of(&link)) {
                    place.insert(link.clone());
                    waiting.push_back(link);
                }
            }
        }
        found
    }

    /// How long a page took each time, in order, and its last answer.
    async fn times(&self, path: &str, times: usize) -> (Vec<Duration>, Answer) {
        let mut took = Vec::new();
        let mut answer = self.open(path).await;
        for _ in 0..times {
            let began = Instant::now();
            answer = self.open(path).await;
            took.push(began.elapsed());
            assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        }
        took.sort_unstable();
        (took, answer)
    }

    /// Prints how long each page takes, and what it weighs; says whether all are quick and light enough.
    pub(crate) async fn measure(&self, pages: &BTreeMap<String, String>, times: usize) -> bool {
        line(&format!("\n{:<58} {:>9} {:>9} {:>7}", "page", "median ms", "most ms", "KB"));
        let mut met = true;
        for (kind, path) in pages {
            let (took, answer) = self.times(path, times).await;
            let (median, most, bytes) = (took[took.len() / 2], took[took.len() - 1], answer.body.len());
            let fits = median < LONGEST && bytes < MOST_BYTES;
            // What is downloaded is no page.
            let judged = answer.header("content-type").starts_with("text/html");
            met &= fits || !judged;
            let (ms, kilobytes) = (|time: Duration| time.as_secs_f64() * 1000.0, bytes.div_ceil(1000));
            let said = if judged { word(fits) } else { "a file" };
            line(&format!("{kind:<58} {:>9.1} {:>9.1} {kilobytes:>7} {said}", ms(median), ms(most)));
        }
        line(&format!("\nEach page within 50 ms (median of {times}) and under 150 KB: {}", word(met)));
        met
    }
}

/// A page's path without ids and without the values of what is asked.
fn kind_of(link: &str) -> String {
    let (path, asked) = link.split_once('?').unwrap_or((link, ""));
    let part = |part: &str| if part.contains('_') { "*".to_owned() } else { part.to_owned() };
    let path: Vec<_> = path.split('/').map(part).collect();
    let names: Vec<_> = asked.split('&').filter_map(|pair| pair.split('=').next()).collect();
    [path.join("/"), names.join("&")].join(if asked.is_empty() { "" } else { "?" })
}
