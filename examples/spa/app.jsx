// A React single-page application whose users log in with authsvc, by oidc-client-ts.
import { UserManager } from "oidc-client-ts";
import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";

const manager = new UserManager({
  authority: process.env.ISSUER,
  client_id: process.env.CLIENT_ID,
  redirect_uri: `${location.origin}/`,
  post_logout_redirect_uri: `${location.origin}/`,
  scope: "openid phone",
  filterProtocolClaims: false, // show all of them
  revokeTokensOnSignout: true,
  revokeTokenTypes: ["refresh_token"],
});

/** The person who is signed in, or null. An answer in the address is taken out of it, so that reloading is harmless. */
async function restore() {
  if (!/[?&](code|error)=/.test(location.search)) return manager.getUser();
  try {
    return await manager.signinRedirectCallback();
  } finally {
    history.replaceState({}, "", location.pathname);
  }
}
// Once, however often React renders.
const restored = restore().then((user) => ({ user }), (error) => ({ error: error.message }));

function App() {
  const [user, setUser] = useState();
  const [error, setError] = useState("");
  const run = (action) => action().catch((problem) => setError(problem.message));
  useEffect(() => {
    restored.then(({ user = null, error = "" }) => {
      setUser(user);
      setError(error);
    });
    return manager.events.addUserLoaded(setUser); // renewed tokens
  }, []);

  if (error) return <p role="alert">{error} <a href="/">Back</a></p>;
  if (user === undefined) return null;
  if (user === null) {
    return <><h1>React example</h1><button onClick={() => run(() => manager.signinRedirect())}>Log in</button></>;
  }
  return <>
    <h1>Hello, {user.profile.phone_number}</h1>
    <pre>{JSON.stringify(user.profile, null, 2)}</pre>
    <button onClick={() => run(() => manager.signinSilent())}>Refresh</button>
    <button onClick={() => run(() => manager.signoutRedirect())}>Log out</button>
  </>;
}

createRoot(document.getElementById("app")).render(<App />);
