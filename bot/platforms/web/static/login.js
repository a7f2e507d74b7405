// A link on another site makes the browser hold the cookie back once; asked from here, it sends it.
const answer = await fetch("/", { credentials: "same-origin" });
if (answer.ok) location.replace("/");
