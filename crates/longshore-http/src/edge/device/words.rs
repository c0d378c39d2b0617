//! The words of the pages, in the languages they are shown in.

use http::{HeaderMap, header};

/// The words of one language.
#[derive(Debug)]
pub(super) struct Words {
    /// As `lang` says it.
    pub(super) lang: &'static str,
    pub(super) login_title: &'static str,
    pub(super) user: &'static str,
    pub(super) password: &'static str,
    pub(super) factor: &'static str,
    pub(super) log_in: &'static str,
    /// Before the name of a provider.
    pub(super) log_in_by: &'static str,
    pub(super) wrong: &'static str,
    pub(super) too_many: &'static str,
    pub(super) unavailable: &'static str,
    pub(super) stale: &'static str,
    pub(super) refused: &'static str,
    pub(super) device_title: &'static str,
    pub(super) type_code: &'static str,
    pub(super) code: &'static str,
    pub(super) go_on: &'static str,
    pub(super) no_code: &'static str,
    pub(super) asks: &'static str,
    pub(super) client: &'static str,
    pub(super) origin: &'static str,
    pub(super) since: &'static str,
    pub(super) may: &'static str,
    pub(super) everything: &'static str,
    pub(super) warning: &'static str,
    pub(super) approve: &'static str,
    pub(super) deny: &'static str,
    pub(super) approved: &'static str,
    pub(super) approved_more: &'static str,
    pub(super) denied: &'static str,
    pub(super) denied_more: &'static str,
    /// Before the name of whoever is logged in.
    pub(super) you_are: &'static str,
    pub(super) log_out: &'static str,
}

static ENGLISH: Words = Words {
    lang: "en",
    login_title: "Log in",
    user: "User name",
    password: "Password",
    factor: "Code of your second factor, if you have one",
    log_in: "Log in",
    log_in_by: "Log in with",
    wrong: "The user name, the password or the code is wrong.",
    too_many: "Too many tries. Wait a while before the next one.",
    unavailable: "Logins cannot be checked just now. Try again in a moment.",
    stale: "This page was open for too long, or your browser keeps no cookies. Try again.",
    refused: "You cannot do this with the way you are logged in. Log out, and log in with your password or provider.",
    device_title: "Log a command line in",
    type_code: "Type the code that your command line shows.",
    code: "Code",
    go_on: "Go on",
    no_code: "There is no such code: it was mistyped, used, or is older than ten minutes.",
    asks: "A command line asks to be logged in as you:",
    client: "It calls itself",
    origin: "It asks from",
    since: "Since",
    may: "It wants to",
    everything: "do everything that you may do",
    warning: "Approve this only if you have just begun it yourself, and your command line shows this very code. \
              Whoever sent you here with a code wants to be logged in as you.",
    approve: "Approve",
    deny: "Deny",
    approved: "The command line is logged in.",
    approved_more: "You can close this page. The token it has is in the list of your personal tokens; revoke it there.",
    denied: "The command line was denied.",
    denied_more: "Nothing was given to it. You can close this page.",
    you_are: "Logged in as",
    log_out: "Log out",
};

static CHINESE: Words = Words {
    lang: "zh-CN",
    login_title: "登录",
    user: "用户名",
    password: "密码",
    factor: "双重验证码（如已启用）",
    log_in: "登录",
    log_in_by: "使用以下方式登录：",
    wrong: "用户名、密码或验证码不正确。",
    too_many: "尝试次数过多，请稍后再试。",
    unavailable: "暂时无法验证登录，请稍后再试。",
    stale: "页面已过期，或浏览器未保存 Cookie，请重试。",
    refused: "当前的登录方式不能执行此操作。请退出后使用密码或身份提供方重新登录。",
    device_title: "授权命令行登录",
    type_code: "请输入命令行中显示的代码。",
    code: "代码",
    go_on: "继续",
    no_code: "代码无效：输入有误、已被使用，或已超过十分钟。",
    asks: "有命令行请求以您的身份登录：",
    client: "程序名称",
    origin: "来源地址",
    since: "请求时间",
    may: "请求的权限",
    everything: "您拥有的全部权限",
    warning: "仅当您本人刚刚发起此登录，且命令行显示的代码与此完全一致时才可批准。\
              如果是别人把代码或链接发给您，对方是想以您的身份登录。",
    approve: "批准",
    deny: "拒绝",
    approved: "命令行已登录。",
    approved_more: "可以关闭此页面。所发放的令牌列在您的个人令牌中，可随时在那里撤销。",
    denied: "已拒绝该命令行的登录。",
    denied_more: "未发放任何凭据。可以关闭此页面。",
    you_are: "当前用户：",
    log_out: "退出登录",
};

impl Words {
    /// The words that a browser asks for; English where it asks for none of ours.
    pub(super) fn of(headers: &HeaderMap) -> &'static Words {
        let lines = headers.get_all(header::ACCEPT_LANGUAGE).iter();
        let asked = lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .take(20);
        let mut best: (&Words, u32) = (&ENGLISH, 0);
        for range in asked {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default();
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            let weight = weight.map_or(1000, thousandths);
            let language = tag.split('-').next().unwrap_or_default();
            let words = if language.eq_ignore_ascii_case("zh") {
                &CHINESE
            } else if language.eq_ignore_ascii_case("en") {
                &ENGLISH
            } else {
                continue;
            };
            if weight > best.1 {
                best = (words, weight);
            }
        }
        best.0
    }
}

/// A weight (RFC 9110, 12.4.2) in thousandths; 0 for what is none.
fn thousandths(text: &str) -> u32 {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = rest.chars().chain("000".chars()).take(3).collect();
    let (whole, rest): (u32, u32) = (
        whole.parse().unwrap_or(0),
        digits.parse().unwrap_or_default(),
    );
    whole.saturating_mul(1000).saturating_add(rest).min(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_the_language_it_likes_best_of_ours() {
        for (asked, lang) in [
            ("", "en"),
            ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
            ("en-GB,en;q=0.9,zh;q=0.8", "en"),
            ("de, zh-Hans;q=0.5", "zh-CN"),
            ("fr;q=1.0, *;q=0.1", "en"),
            ("zh;q=0, en;q=0.1", "en"),
            ("zh;q=0.001", "zh-CN"),
            ("zh;q=abc", "en"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, asked.parse().unwrap());
            assert_eq!(Words::of(&headers).lang, lang, "{asked}");
        }
    }
}
