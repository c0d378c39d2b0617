// A browser with somebody in front of it, who fills in every form. Arguments: where it goes, who they are, where it must not
// follow. Prints where it was sent at last.
const [start, login, end] = process.argv.slice(2);
const cookies = new Map();
let [url, body] = [start, undefined];
for (let step = 0; step < 30; step += 1) {
  if (url.startsWith(end)) break;
  const answer = await fetch(url, {
    method: body ? 'POST' : 'GET',
    body,
    redirect: 'manual',
    headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
  });
  for (const cookie of answer.headers.getSetCookie()) {
    const [name, value] = cookie.split(';')[0].split(/=(.*)/s);
    cookies.set(name, value);
  }
  const text = await answer.text();
  if (answer.headers.has('location')) {
    [url, body] = [new URL(answer.headers.get('location'), url).href, undefined];
    continue;
  }
  const form = /<form[^>]*>[\s\S]*?<\/form>/.exec(text)?.[0];
  if (!form) break;
  body = new URLSearchParams();
  for (const input of form.matchAll(/<input[^>]*>/g)) {
    const of = (name) => new RegExp(`${name}="([^"]*)"`).exec(input[0])?.[1];
    if (of('name')) body.set(of('name'), of('value') ?? '');
  }
  for (const name of ['login', 'password']) if (body.has(name)) body.set(name, login);
  url = new URL(/action="([^"]*)"/.exec(form)?.[1] ?? url, url).href;
}
console.log(url);
