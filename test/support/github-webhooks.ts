// Real input: the example payloads of GitHub's webhooks (npm package @octokit/webhooks-examples), as events of one stream
// per repository.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Json, NewEvent } from '../../lib/model/event.ts';

interface Webhook {
  name: string;
  examples: { action?: string; repository?: { full_name?: string } }[];
}

export interface GithubStream {
  streamId: string;
  events: NewEvent[];
}

/** All 329 payloads, in the order of the package; those without a repository are a stream of their own. */
export function githubStreams(): GithubStream[] {
  const path = createRequire(import.meta.url).resolve('@octokit/webhooks-examples/api.github.com/index.json');
  const webhooks = JSON.parse(readFileSync(path, 'utf8')) as Webhook[];
  const streams = new Map<string, NewEvent[]>();
  for (const { name, examples } of webhooks) {
    for (const [index, payload] of examples.entries()) {
      const streamId = payload.repository?.full_name ?? 'without-repository';
      const events = streams.get(streamId) ?? [];
      streams.set(streamId, events);
      const type = payload.action === undefined ? name : `${name}.${payload.action}`;
      events.push({ id: `${name}-${index + 1}`, type, data: payload as Json });
    }
  }
  return [...streams].map(([streamId, events]) => ({ streamId, events }));
}
