// fauxqs (SQS, SNS, S3) inside this process, on the loopback interface only.

import type { AddressInfo } from 'node:net';
import { buildApp } from 'fauxqs';
import { REGION } from '../names.ts';

export interface MessagingEngine {
  host: string;
  port: number;
  url: string;
  stop(): Promise<void>;
}

export async function startMessaging(): Promise<MessagingEngine> {
  // `startFauxqs` listens on every interface; the app behind it does as it is told.
  const app = buildApp({ logger: false, defaultRegion: REGION });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  return { host: '127.0.0.1', port, url: `http://127.0.0.1:${port}`, stop: () => app.close() };
}
