const talk = document.querySelector("#talk");
const form = document.querySelector("#ask");
const input = document.querySelector("#message");
let session;

function say(kind, text = "") {
  const paragraph = document.createElement("p");
  paragraph.className = kind;
  paragraph.textContent = text;
  talk.append(paragraph);
  paragraph.scrollIntoView({ block: "end" });
  return paragraph;
}

async function* events(response) {
  let rest = "";
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const name = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (name && data) yield [name, JSON.parse(data)];
    }
  }
}

async function ask(message) {
  say("user", message);
  const answer = say("assistant");
  const response = await fetch("/chat", { method: "POST", body: JSON.stringify({ message, session }) });
  if (!response.ok) {
    answer.textContent = (await response.json()).error;
    return;
  }
  for await (const [name, data] of events(response)) {
    if (name === "session") session = data.session;
    else if (name === "token") answer.textContent += data.text;
    else if (name === "error") answer.textContent = data.error;
    else if (name === "sources" && data.length) say("sources", `From: ${data.map((source) => source.title).join(", ")}`);
  }
}

form.addEventListener("submit", async (submit) => {
  submit.preventDefault();
  const message = input.value.trim();
  if (!message) return;
  input.value = "";
  form.inert = true;
  try {
    await ask(message);
  } catch {
    say("assistant", "The connection was lost; please ask again.");
  } finally {
    form.inert = false;
    input.focus();
  }
});
