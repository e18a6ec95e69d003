// The answer of a custom resource: one PUT of a small JSON document to the URL that CloudFormation gave. Without it a stack
// waits for an hour, so it is tried again, it always fits, and only a loopback address may be answered without TLS.

import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { EventRecoveryError, InvalidInputError } from '../model/errors.ts';
import type { World } from './clock.ts';

/** CloudFormation user guide, custom resource response objects: the body can't exceed 4,096 bytes. */
export const ANSWER_BYTES_MAX = 4_096;

export interface ResourceAnswer {
  Status: 'SUCCESS' | 'FAILED';
  /** Shortened until the document fits. */
  Reason: string;
  /** Up to 1 KB; equal in all answers for one resource. */
  PhysicalResourceId: string;
  StackId: string;
  RequestId: string;
  LogicalResourceId: string;
  /** Left out when the document would not fit. */
  Data?: Record<string, string>;
}

export interface ResourceAnswers {
  /**
   * @throws InvalidInputError `INVALID_RESPONSE_URL`
   * @throws EventRecoveryError `ANSWER_NOT_DELIVERED` after the last try
   */
  put(responseUrl: string, answer: ResourceAnswer): Promise<void>;
}

/** 3 tries of 3 s and at most 1.5 s of pauses: 10.5 s. */
const TRIES = 3;
const TRY_TIMEOUT_MS = 3_000;
const FIRST_PAUSE_MS = 500;
export const ANSWER_TIME_MAX_MS = TRIES * TRY_TIMEOUT_MS + FIRST_PAUSE_MS * 3;

/** @example await createResourceAnswers(world).put(event.ResponseURL, { Status: 'SUCCESS', ... }); */
export function createResourceAnswers({ timers, random }: Pick<World, 'timers' | 'random'>): ResourceAnswers {
  return {
    async put(responseUrl, answer) {
      const url = checkResponseUrl(responseUrl);
      const body = answerBody(answer);
      let last: unknown;
      for (let attempt = 1; attempt <= TRIES; attempt++) {
        if (attempt > 1) await timers.sleep(Math.ceil(random.next() * FIRST_PAUSE_MS * 2 ** (attempt - 2)));
        try {
          const status = await put(url, body);
          if (status >= 200 && status < 300) return;
          last = new Error(`HTTP status ${status}`);
          // 403 = the presigned URL has expired or was used: it will not become valid again.
          if (status < 500 && status !== 429) break;
        } catch (error) {
          last = error;
        }
      }
      throw new EventRecoveryError(
        'ANSWER_NOT_DELIVERED',
        `the answer to CloudFormation could not be delivered to ${url.host}: ${(last as Error).message}; remedy: CloudFormation asks again, or gives up after its own timeout`,
        { retryable: true, facts: { host: url.host, status: answer.Status }, cause: last },
      );
    },
  };
}

/** The URL, when an answer may go there. Its query holds a signature: it is never logged or shown. */
export function checkResponseUrl(raw: unknown): URL {
  const url = typeof raw === 'string' && URL.canParse(raw) ? new URL(raw) : undefined;
  const isLoopback = url !== undefined && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  if (url && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback))) return url;
  throw new InvalidInputError('INVALID_RESPONSE_URL', {
    what: 'ResponseURL of a custom resource request',
    got: url ? `${url.protocol}//${url.host}` : typeof raw,
    allowed: 'an https URL, or an http URL of the loopback address',
    remedy: 'let CloudFormation send the request',
  });
}

function answerBody(answer: ResourceAnswer): Buffer {
  const encode = (candidate: ResourceAnswer) => Buffer.from(JSON.stringify(candidate));
  let candidate = answer;
  if (encode(candidate).length > ANSWER_BYTES_MAX) candidate = { ...candidate, Data: undefined };
  while (encode(candidate).length > ANSWER_BYTES_MAX && candidate.Reason.length > 0) {
    // Half each time: at most 24 rounds for a reason of 16 MB. Cut by characters, because escapes count more than once.
    candidate = { ...candidate, Reason: candidate.Reason.slice(0, Math.floor(candidate.Reason.length / 2)) };
  }
  return encode(candidate);
}

function put(url: URL, body: Buffer): Promise<number> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    // The URL was signed for an empty content type: another one would make the signature wrong.
    const headers = { 'content-type': '', 'content-length': body.length };
    const outgoing = request(
      url,
      { method: 'PUT', headers, signal: AbortSignal.timeout(TRY_TIMEOUT_MS) },
      (incoming) => {
        incoming.resume();
        incoming.on('error', reject).on('end', () => resolve(incoming.statusCode ?? 0));
      },
    );
    outgoing.on('error', reject).end(body);
  });
}
