//! Certificates that the configuration of servers names, wherever they lie.

use std::collections::BTreeMap;

use crate::inventory::source::Root;

/// Configuration files looked at, per server.
const MOST_FILES: usize = 500;

/// A server: its name, where its configuration is, and the words before a certificate's path.
type Server = (&'static str, &'static [&'static str], &'static [&'static str]);

const SERVERS: [Server; 7] = [
    (
        "nginx",
        &["etc/nginx/nginx.conf", "etc/nginx/conf.d", "etc/nginx/sites-enabled", "usr/local/etc/nginx"],
        &["ssl_certificate"],
    ),
    (
        "apache",
        &["etc/apache2/sites-enabled", "etc/apache2/conf-enabled", "etc/httpd/conf", "etc/httpd/conf.d"],
        &["SSLCertificateFile"],
    ),
    ("postfix", &["etc/postfix/main.cf"], &["smtpd_tls_cert_file", "smtpd_tls_chain_files"]),
    ("dovecot", &["etc/dovecot/dovecot.conf", "etc/dovecot/conf.d"], &["ssl_cert"]),
    ("haproxy", &["etc/haproxy/haproxy.cfg"], &["crt"]),
    ("postgresql", &["etc/postgresql"], &["ssl_cert_file"]),
    ("mysql", &["etc/mysql", "etc/my.cnf.d"], &["ssl-cert", "ssl_cert"]),
];

/// Paths of certificates, each with the servers that name it.
pub fn paths(root: &Root) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (server, places, words) in SERVERS {
        let mut files = Vec::new();
        for place in places {
            collect_files(root, place, 0, &mut files);
        }
        for file in files {
            for path in parse(&root.text(&file).unwrap_or_default(), words) {
                let users = found.entry(path).or_default();
                if users.last().is_none_or(|last| last != server) {
                    users.push(server.into());
                }
            }
        }
    }
    found
}

fn collect_files(root: &Root, place: &str, depth: u32, files: &mut Vec<String>) {
    let path = root.path(place);
    if path.is_file() && files.len() < MOST_FILES {
        files.push(place.to_owned());
    } else if path.is_dir() && depth < 3 {
        for name in root.names(place) {
            collect_files(root, &format!("{place}/{name}"), depth + 1, files);
        }
    }
}

/// Absolute paths after one of `words`, whatever stands between: a blank, `=`, `<`, quotes; up to a blank, `;` or quote.
pub fn parse(text: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let mut tokens =
            line.split(|c: char| c.is_whitespace() || ";=<\"',".contains(c)).filter(|t| !t.is_empty());
        while let Some(token) = tokens.next() {
            if words.iter().any(|word| word.eq_ignore_ascii_case(token))
                && let Some(path) = tokens.next().filter(|path| path.starts_with('/') && !path.contains('$'))
            {
                found.push(path.to_owned());
            }
        }
    }
    found
}
