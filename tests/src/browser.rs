//! A browser without scripts: it keeps a cookie, reads forms, and sends them.

use axum::{Router, http::Method};

use crate::{ADMIN, Answer, Call, World};

/// Somebody's browser.
pub struct Browser {
    router: Router,
    cookie: String,
}

impl Browser {
    /// A browser that nobody signed in with.
    pub fn new(router: &Router) -> Self {
        Self { router: router.clone(), cookie: String::new() }
    }

    /// A browser of the admin.
    pub async fn of_admin(world: &World) -> Self {
        Self::with_key(world, ADMIN).await
    }

    /// A browser of whoever has this key.
    pub async fn with_key(world: &World, key: &str) -> Self {
        let mut browser = Self::new(&world.process.router);
        let answer = browser.sign_in(key).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        browser
    }

    /// Shows a key, and keeps the cookie that comes back.
    pub async fn sign_in(&mut self, key: &str) -> Answer {
        let answer = self.send(Call::new(Method::POST, "/console/sign-in"), &[("key", key)]).await;
        if let Some(cookie) =
            answer.header("set-cookie").split(';').next().filter(|cookie| !cookie.is_empty())
        {
            cookie.clone_into(&mut self.cookie);
        }
        answer
    }

    /// The cookie, as it is sent.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Takes a cookie that somebody else put there.
    pub fn take(&mut self, cookie: &str) {
        cookie.clone_into(&mut self.cookie);
    }

    /// Asks for a page.
    pub async fn get(&self, path: &str) -> Answer {
        Call::get(path).header("cookie", &self.cookie).send(&self.router).await
    }

    /// A page that is there.
    pub async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.text()
    }

    /// Sends a form with what every page of the session puts into it.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.page("/console/prompts/new").await;
        let (csrf, once) = (hidden(&page, "csrf"), hidden(&page, "once"));
        let mut all = vec![("csrf", csrf.as_str()), ("once", once.as_str())];
        all.extend(fields);
        self.send(Call::new(Method::POST, path), &all).await
    }

    /// Sends a form as it is.
    pub async fn send(&self, call: Call, fields: &[(&str, &str)]) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let call = call.bytes("application/x-www-form-urlencoded", form.finish());
        call.header("cookie", &self.cookie).send(&self.router).await
    }
}

/// What a page puts into a form without showing it.
pub fn hidden(page: &str, name: &str) -> String {
    let begin = format!(r#"<input type="hidden" name="{name}" value=""#);
    let (_, field) = page.split_once(&begin).unwrap_or_else(|| panic!("no {name} in {page}"));
    field.split('"').next().unwrap_or_default().to_owned()
}

/// Where an answer leads to, after insisting that it leads somewhere.
#[track_caller]
pub fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").to_owned()
}
