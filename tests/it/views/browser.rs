//! Pages as a browser shows them: headless Chromium opens each, wide and narrow, light and dark.
//!
//! `just views` runs these, and CI where Chromium is installed. They write the pages and what they
//! look like to `target/views/`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::page::page;
use crate::support::root;

/// What stands for each kind of page, by the name of its files.
const PAGES: &[(&str, &[&str])] = &[
    ("run", &["run", "scenarios/bugs/hash-lost-in-flush.scn"]),
    ("run-xen", &["run", "scenarios/bugs/xen-preempted-in-enable.scn"]),
    ("run-good", &["run", "scenarios/worked/kernel-ptes.scn", "--arch", "arm64"]),
    ("check", &["check", "scenarios/bugs/xen-preempted-in-disable.scn"]),
    ("compare", &["compare", "scenarios/nesting/enable-in-pause.scn"]),
    ("prove", &["prove", "--design", "count-enabled-rfc", "--against", "count-paused-rfc"]),
    ("workload", &["workload", "vmalloc", "--maps", "tests/fixtures/maps/rustc.maps"]),
    (
        "conform",
        &["conform", "tests/fixtures/traces/xen-7.0.13-crash.trace.xz", "--kernel", "v7.0"],
    ),
];

const WIDTHS: [u32; 2] = [1280, 390];

/// The program, by one of its names.
fn chromium() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok())
}

/// Opens `file` and gives what the browser prints: the elements of the page.
fn open(file: &Path, (width, height): (u32, u32), dark: bool, more: &[String]) -> (String, String) {
    let program = chromium().expect("chromium is installed");
    let scheme = if dark { 0 } else { 1 };
    let output = Command::new(program)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"])
        .args(["--disable-background-networking", "--enable-logging=stderr"])
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("--window-size={},{height}", width.max(500)))
        .arg("--virtual-time-budget=5000")
        .args(more)
        .arg(format!("file://{}", file.display()))
        .output()
        .expect("chromium starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// A page that shows another one in a frame of `width`, since no window is as narrow as a phone;
/// what the frame posts becomes the text of the page.
fn framed(folder: &Path, name: &str, page: &str, width: u32, probe: bool) -> PathBuf {
    let script = include_str!("probe.js");
    let page = match probe {
        true => page.replacen("</title>", &format!("</title><script>{script}</script>"), 1),
        false => page.to_owned(),
    };
    let quoted = page.replace('&', "&amp;").replace('"', "&quot;");
    let text = format!(
        "<!DOCTYPE html><meta charset=utf-8><body style=margin:0><pre hidden></pre>\
         <script>onmessage=(e)=>{{document.querySelector('pre').textContent=e.data}}</script>\
         <iframe style=\"width:{width}px;height:1800px;border:0\" srcdoc=\"{quoted}\"></iframe>"
    );
    let file = folder.join(format!("{name}-{width}.html"));
    std::fs::write(&file, text).expect("a folder of the build");
    file
}

/// What the probe found in the page.
fn probed(file: &Path, dark: bool) -> Value {
    let (elements, said) = open(file, (1400, 1800), dark, &["--dump-dom".to_owned()]);
    let console = said.lines().find(|line| line.contains(":CONSOLE"));
    assert_eq!(console, None, "{}: the console says something", file.display());
    let found = elements.split_once("<pre hidden=\"\">").and_then(|(_, rest)| rest.split_once('<'));
    let found = found.map_or("", |(found, _)| found).replace("&amp;", "&").replace("&gt;", ">");
    serde_json::from_str(&found).unwrap_or_else(|e| panic!("{}: {e}: {found}", file.display()))
}

#[test]
#[ignore = "needs Chromium: just views"]
fn every_page_works_wide_and_narrow_light_and_dark() {
    let folder = root().join("target/views");
    std::fs::create_dir_all(&folder).expect("a folder of the build");
    for (name, args) in PAGES {
        let page = page(args, b"");
        std::fs::write(folder.join(format!("{name}.html")), &page).expect("a file");
        for width in WIDTHS {
            let probe = framed(&folder, &format!("probe-{name}"), &page, width, true);
            let [light, dark] = [false, true].map(|dark| probed(&probe, dark));
            for found in [&light, &dark] {
                assert_eq!(found["errors"], serde_json::json!([]), "{name} at {width}");
                assert_eq!(found["wrong"], serde_json::json!([]), "{name} at {width}");
            }
            assert_ne!(light["colours"], dark["colours"], "{name}: dark is light");
            let traces = page.matches("class=\"trace\"").count();
            assert_eq!(light["traces"], traces, "{name}");
            assert!(traces == 0 || light["steps"].as_u64() > Some(2), "{name}: {light}");

            let shown = framed(&folder, name, &page, width, false);
            for (dark, scheme) in [(false, "light"), (true, "dark")] {
                let file = folder.join(format!("{name}-{width}-{scheme}.png"));
                open(&shown, (width, 1400), dark, &[format!("--screenshot={}", file.display())]);
                let size = std::fs::metadata(&file).map_or(0, |file| file.len());
                assert!(size > 10_000, "{}: {size} bytes", file.display());
            }
        }
    }
}

/// The probe notices a page that does not work.
#[test]
#[ignore = "needs Chromium: just views"]
fn the_probe_finds_what_is_wrong() {
    let folder = root().join("target/views");
    std::fs::create_dir_all(&folder).expect("a folder of the build");
    let good = page(PAGES[0].1, b"");
    let wide = "<b style=\"display:block;width:3000px\">x</b></h1>";
    for (name, of, fault) in [
        ("wide", "</h1>", wide),
        ("keys", "ArrowRight:", "ArrowWrong:"),
        ("way", "<i class=\"via\">", "<i>"),
        ("fetch", "</h1>", "<img src=\"https://example.org/x.png\"></h1>"),
    ] {
        let faulty = good.replace(of, fault);
        assert_ne!(good, faulty, "{name}");
        let file = framed(&folder, &format!("fault-{name}"), &faulty, 1280, true);
        let (elements, said) = open(&file, (1400, 1800), false, &["--dump-dom".to_owned()]);
        let quiet = elements.contains("\"errors\":[],\"wrong\":[],") && !said.contains(":CONSOLE");
        assert!(!quiet, "{name}: nothing was noticed");
    }
}
