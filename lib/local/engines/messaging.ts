// fauxqs (SQS, SNS, S3) inside this process, on the loopback interface only.

import type { AddressInfo } from 'node:net';
import { buildApp } from 'fauxqs';
import { REGION } from '../names.ts';

export interface MessagingEngine {
  host: string;
  port: number;
  url: string;
  /** Messages that wait in a queue, and how long the oldest one has; undefined: there is no such queue. */
  queueNow(name: string): Promise<{ visible: number; oldestAgeSeconds: number } | undefined>;
  stop(): Promise<void>;
}

export async function startMessaging(): Promise<MessagingEngine> {
  // `startFauxqs` listens on every interface; the app behind it does as it is told.
  const app = buildApp({ logger: false, defaultRegion: REGION });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  return {
    host: '127.0.0.1',
    port,
    url: `http://127.0.0.1:${port}`,
    async queueNow(name) {
      const { statusCode, body } = await app.inject({
        method: 'GET',
        url: `/_fauxqs/queues/${encodeURIComponent(name)}`,
      });
      if (statusCode !== 200) return undefined;
      const { ready, inflight } = (JSON.parse(body) as Inspected).messages;
      const sent = [...ready, ...inflight.map(({ message }) => message)].map(({ sentTimestamp }) =>
        Number(sentTimestamp),
      );
      const oldest = sent.reduce((first, at) => Math.min(first, at), Date.now());
      return { visible: ready.length, oldestAgeSeconds: Math.floor((Date.now() - oldest) / 1_000) };
    },
    stop: () => app.close(),
  };
}

/** fauxqs, "Queue inspection": reading changes nothing. */
interface Inspected {
  messages: { ready: { sentTimestamp: number }[]; inflight: { message: { sentTimestamp: number } }[] };
}
