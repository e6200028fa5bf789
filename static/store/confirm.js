// Where the links in mails lead: the token stands behind the "#", which no server is told.

const WAYS = {
  register: {
    path: "auth/verify-email",
    asked: "Type the password that you have chosen for your new account.",
    button: "Open the account",
    complete: "current-password",
    done: "Your account is open. You can log in now.",
  },
  reset_password: {
    path: "auth/password-reset/confirm",
    asked: "Choose a new password: at least 10 characters, in any mixture.",
    button: "Set the password",
    complete: "new-password",
    done: "Your password is changed. Log in with it.",
  },
  change_email: {
    path: "auth/email-change/confirm",
    asked: "From now on your account uses this address.",
    button: "Use this address",
    done: "Your address is changed. Log in with it.",
  },
};

const form = document.getElementById("confirm");
const password = document.getElementById("password");
const said = document.getElementById("said");

const [purpose, token] = location.hash.slice(1).split("=");
const way = WAYS[purpose];
history.replaceState(null, "", location.pathname);

function sentenceOf(problem) {
  const [entry] = problem.errors ?? [];
  return entry?.detail ?? problem.detail ?? "That did not work. Please try again.";
}

async function confirm() {
  const body = way.complete ? { token, password: password.value } : { token };
  const answer = await fetch(`/api/v1/${way.path}`, {
    method: "POST",
    credentials: "omit",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) {
    said.textContent = sentenceOf(await answer.json());
    return;
  }
  form.hidden = true;
  said.textContent = way.done;
}

if (way && token) {
  document.getElementById("asked").textContent = way.asked;
  form.querySelector("button").textContent = way.button;
  if (way.complete) password.autocomplete = way.complete;
  else password.parentElement.remove();
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await confirm();
    } catch {
      said.textContent = "The store cannot be reached at this moment. Please try again.";
    }
  });
} else {
  said.textContent = "This link is not whole. Copy all of it out of the mail.";
}
