"use strict";
// What letters lead to. The code stands behind the `#`, so that it is in no log; it is taken out of the address at once.
(() => {
  const token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  const pages = {
    join: ["sign-up/complete", "Your account is made. Log in with it."],
    reset: ["password-resets/complete", "Your password is changed. Log in with it."],
    confirm: ["mail-confirmations", "The address is confirmed."],
    forgot: ["password-resets", "If there is such an account, a letter goes to its address now."],
  };
  const name = location.pathname.split("/").pop();
  const form = document.getElementById(name);
  const said = document.getElementById("said");
  if (!Object.hasOwn(pages, name) || !form) return;
  if (name !== "forgot" && !token) {
    said.textContent = "This address has no code behind it: open it by the whole link in the letter.";
    return;
  }
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = name === "forgot" ? {} : { token };
    for (const [key, value] of new FormData(form)) {
      if (value !== "") body[key] = value;
    }
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const answer = await fetch(`../api/v1/${pages[name][0]}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
        credentials: "omit",
      });
      if (answer.ok) {
        form.hidden = true;
        said.textContent = pages[name][1];
      } else {
        const problem = await answer.json();
        said.textContent = problem.detail;
      }
    } catch {
      said.textContent = "The server cannot be reached just now; try again.";
    }
    button.disabled = false;
  });
})();
