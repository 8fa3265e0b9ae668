//! One operation of a page.

use std::fmt::Write as _;

use serde_json::Value;

use super::example::example;
use super::schema::{kind, shape};
use super::text::{escaped, inline, prose};
use super::{items, members, resolved, text};

/// The methods, in the order in which one reads them.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// One operation of an API.
pub(super) struct Operation<'a> {
    api: &'a Value,
    path: &'a str,
    method: &'static str,
    said: &'a Value,
}

impl<'a> Operation<'a> {
    /// All of them.
    pub(super) fn all(api: &'a Value) -> impl Iterator<Item = Self> {
        members(&api["paths"]).flat_map(move |(path, methods)| {
            let said = move |method: &'static str| {
                let said = methods.get(method)?;
                Some(Self { api, path, method, said })
            };
            METHODS.into_iter().filter_map(said)
        })
    }

    /// What it is about.
    pub(super) fn tag(&self) -> &'a str {
        items(&self.said["tags"]).first().and_then(Value::as_str).unwrap_or("Endpoints")
    }

    /// Its line in the contents.
    pub(super) fn entry(&self) -> String {
        format!(
            "<li><a href=\"#{}\">{} <span>{}</span></a></li>",
            self.anchor(),
            self.badge(),
            inline(self.title()),
        )
    }

    /// All there is to say about it.
    pub(super) fn section(&self) -> String {
        let signed_in = !items(&self.said["security"]).is_empty();
        let lock = if signed_in { " <span class=\"lock\">signed in</span>" } else { "" };
        format!(
            "<section id=\"{}\"><h2>{}</h2><p class=\"path\">{} <code>{}</code>{lock}</p>{}{}{}{}\
             </section>\n",
            self.anchor(),
            inline(self.title()),
            self.badge(),
            escaped(self.path),
            prose(text(self.said, "description")),
            self.parameters(),
            self.request(),
            self.responses(),
        )
    }

    fn title(&self) -> &'a str {
        let summary = text(self.said, "summary");
        if summary.is_empty() { self.path } else { summary.trim_end_matches('.') }
    }

    fn anchor(&self) -> String {
        let name = format!("{}{}", self.method, self.path);
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
    }

    fn badge(&self) -> String {
        format!("<b class=\"method {0}\">{0}</b>", self.method)
    }

    fn parameters(&self) -> String {
        let rows: String = items(&self.said["parameters"])
            .iter()
            .map(|parameter| self.parameter(resolved(self.api, parameter)))
            .collect();
        if rows.is_empty() {
            return rows;
        }
        format!("<h3>Parameters</h3><ul class=\"fields\">{rows}</ul>")
    }

    fn parameter(&self, parameter: &Value) -> String {
        let must = if parameter["required"] == true { "required" } else { "" };
        format!(
            "<li><code>{}</code> <span class=\"kind\">{}, in {}</span> \
             <span class=\"must\">{must}</span> <span class=\"about\">{}</span></li>",
            escaped(text(parameter, "name")),
            escaped(&kind(self.api, &parameter["schema"])),
            escaped(text(parameter, "in")),
            inline(text(parameter, "description")),
        )
    }

    fn request(&self) -> String {
        let body = resolved(self.api, &self.said["requestBody"]);
        let shown = self.contents(body);
        if shown.is_empty() { shown } else { format!("<h3>Request</h3>{shown}") }
    }

    fn responses(&self) -> String {
        let mut html = "<h3>Responses</h3>".to_owned();
        for (status, response) in members(&self.said["responses"]) {
            let response = resolved(self.api, response);
            let open = if status.starts_with('2') { " open" } else { "" };
            let _ = write!(
                html,
                "<details{open}><summary><b class=\"status s{}\">{}</b> {}</summary>{}</details>",
                escaped(status.get(..1).unwrap_or_default()),
                escaped(status),
                inline(text(response, "description")),
                self.contents(response),
            );
        }
        html
    }

    fn contents(&self, body: &Value) -> String {
        let mut html = String::new();
        for (media_type, content) in members(&body["content"]) {
            let given = content.get("example").cloned();
            let example = given.unwrap_or_else(|| example(self.api, &content["schema"]));
            let _ = write!(
                html,
                "<div class=\"body\"><div><p class=\"media\">{} · {}</p>{}</div><pre>{}</pre></div>",
                escaped(media_type),
                escaped(&kind(self.api, &content["schema"])),
                shape(self.api, &content["schema"]),
                escaped(&format!("{example:#}")),
            );
        }
        html
    }
}
