// A chat by nothing but fetch: the call comes as JSON on standard input, each chunk goes out as a line of JSON.
import { text } from "node:stream/consumers";

const call = JSON.parse(await text(process.stdin));
const answer = await fetch(`${call.base_url}/chat/completions`, {
  method: "POST",
  headers: { authorization: `Bearer ${call.api_key}`, "content-type": "application/json" },
  body: JSON.stringify({ stream: true, ...call.params, model: call.model, messages: call.messages }),
});
if (!answer.ok) {
  const { error } = await answer.json();
  console.error(JSON.stringify({ name: "FetchError", status: answer.status, code: error.code, message: error.message }));
  process.exit(1);
}
let rest = "";
for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + piece).split(/\r?\n/);
  rest = lines.pop();
  for (const line of lines) {
    if (line.startsWith("data: {")) console.log(line.slice("data: ".length));
  }
}
