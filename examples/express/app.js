// An Express application whose users log in with authsvc, by openid-client.
import { randomBytes } from "node:crypto";
import express from "express";
import session from "express-session";
import * as client from "openid-client";

const {
  ISSUER = "http://localhost:8000",
  CLIENT_ID = "example-express",
  CLIENT_SECRET = "example-express-secret-not-for-production",
  PORT = "8003",
} = process.env;
const BASE = `http://localhost:${PORT}`;
const REDIRECT_URI = `${BASE}/callback`;
// Plain http is for localhost only.
const insecure = ISSUER.startsWith("http://localhost") ? { execute: [client.allowInsecureRequests] } : {};
const authsvc = await client.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET, undefined, insecure);

const app = express();
app.use(session({
  name: "example_express", // cookies are shared by all ports of localhost
  secret: randomBytes(32).toString("hex"),
  resave: false,
  saveUninitialized: false,
  cookie: { httpOnly: true, sameSite: "lax", secure: BASE.startsWith("https:") },
}));

const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

app.get("/", (request, response) => {
  const { claims } = request.session;
  if (!claims) return response.send('<h1>Express example</h1><a href="/login">Log in</a>');
  response.send(`<h1>Hello, ${escaped(claims.phone_number)}</h1><pre>${escaped(JSON.stringify(claims, null, 2))}</pre>
    <form method="post" action="/refresh"><button>Refresh</button></form>
    <form method="post" action="/logout"><button>Log out</button></form>`);
});

app.get("/login", async (request, response) => {
  const verifier = client.randomPKCECodeVerifier(), state = client.randomState(), nonce = client.randomNonce();
  request.session.pending = { verifier, state, nonce };
  response.redirect(client.buildAuthorizationUrl(authsvc, {
    redirect_uri: REDIRECT_URI,
    scope: "openid phone",
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
  }).href);
});

const keep = (request, tokens) => {
  request.session.claims = tokens.claims();
  request.session.tokens = { id_token: tokens.id_token, refresh_token: tokens.refresh_token };
};

app.get("/callback", async (request, response) => {
  const { verifier, state, nonce } = request.session.pending ?? {};
  const tokens = await client.authorizationCodeGrant(authsvc, new URL(request.originalUrl, BASE), {
    pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true,
  });
  await new Promise((done, failed) => request.session.regenerate((error) => (error ? failed(error) : done())));
  keep(request, tokens);
  response.redirect("/");
});

app.post("/refresh", async (request, response) => {
  const { tokens } = request.session;
  delete request.session.claims; // without a refresh the user is logged out
  if (tokens) keep(request, await client.refreshTokenGrant(authsvc, tokens.refresh_token));
  response.redirect("/");
});

app.post("/logout", (request, response) => {
  const hint = { id_token_hint: request.session.tokens?.id_token ?? "", post_logout_redirect_uri: `${BASE}/` };
  request.session.destroy(() => response.redirect(client.buildEndSessionUrl(authsvc, hint).href));
});

app.use((error, request, response, next) => {
  response.status(400).send(`<p>${escaped(error.error_description ?? error.error ?? error.message)}</p><a href="/">Back</a>`);
});

app.listen(Number(PORT), "localhost", () => console.log(`Express example: ${BASE}`));
