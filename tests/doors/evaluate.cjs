// Evaluates flags as an application in JavaScript does, on a server or in a page: questions come in as JSON, and details
// go out as JSON. In a page there is one user, whose flags are asked for again until nothing is new.

const { readFileSync } = require('node:fs');

const asked = JSON.parse(readFileSync(0, 'utf8'));
const headers = Object.entries(asked.headers);
const fallback = { text: 'default' };

const told = ({ value, variant, reason, errorCode, flagMetadata }) => ({
  value, variant, reason, errorCode, metadata: flagMetadata,
});

async function onServer() {
  const { OpenFeature } = require('@openfeature/server-sdk');
  const { OFREPProvider } = require('@openfeature/ofrep-provider');
  await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: asked.url, headers }));
  const client = OpenFeature.getClient();
  const answers = [];
  for (const { key, context } of asked.flags) {
    answers.push(told(await client.getObjectDetails(key, fallback, context)));
  }
  return answers;
}

async function inPage() {
  const { OpenFeature } = require('@openfeature/web-sdk');
  const { OFREPWebProvider } = require('@openfeature/ofrep-web-provider');
  let unchanged;
  const polled = new Promise((resolve) => { unchanged = resolve; });
  const fetchImplementation = async (...request) => {
    const response = await fetch(...request);
    if (response.status === 304) {
      unchanged();
    }
    return response;
  };
  const options = { baseUrl: asked.url, headers, fetchImplementation, pollInterval: 50, cacheMode: 'disabled' };
  await OpenFeature.setContext(asked.flags[0].context);
  await OpenFeature.setProviderAndWait(new OFREPWebProvider(options));
  await polled;
  const client = OpenFeature.getClient();
  const answers = asked.flags.map(({ key }) => told(client.getObjectDetails(key, fallback)));
  await OpenFeature.close();
  return answers;
}

const answers = asked.page ? inPage() : onServer();
answers.then((answers) => process.stdout.write(JSON.stringify(answers), () => process.exit(0)));
