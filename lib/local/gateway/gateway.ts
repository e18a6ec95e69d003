// The one HTTP door of the local cloud: every client, in every process, talks to it. It knows who calls which
// operation, checks the caller's role, injects faults before and after, and lets an engine or a service of ours answer.
// A caller that a fault kills dies before it can see anything, so kills are exact.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { When } from '../../recovery/drill/faults.ts';
import type { CallFaults, InterceptedCall } from '../faults/call-faults.ts';
import { type CutOffs, createCutOffs } from './cut-off.ts';
import { createForwarder, type Engine, type Forwarder } from './forward.ts';
import { type AwsRequest, type Identified, identify } from './identify.ts';
import { errorReply, type Reply } from './replies.ts';

/** The Lambda process that a request comes from. */
export interface Caller {
  functionName: string;
  roleArn: string;
  pid: number;
  kill(): void;
}

export interface GatewayCall extends Identified, AwsRequest {
  /** Absent: a client outside the functions (test, drill, operator); not checked against a policy. */
  caller?: Caller;
  bodyText(): string;
}

/** Answers the operations of one service that no engine answers; undefined leaves the call to the engine. */
export type ServiceHandler = (call: GatewayCall) => Promise<Reply | undefined>;

export interface GatewayOptions {
  /** @default 0: any free port */
  port?: number;
  engines: Readonly<Record<string, Engine>>;
  services: Readonly<Record<string, ServiceHandler>>;
  callerOf(accessKeyId: string): Caller | undefined;
  /** The reason why the caller's role does not allow this, or undefined. */
  denied(call: GatewayCall): string | undefined;
  faults: CallFaults;
  /** Paths below `/_local/`: custom resource answers. */
  internal(path: string, body: Buffer): Reply;
  /** Sees every answered call, for example to turn an S3 upload into an event; may change the answer. */
  answered(call: GatewayCall, reply: Reply): Reply;
  /** Sees every call that a fault answered with an error. */
  refused(call: InterceptedCall, code: string): void;
}

export interface Gateway {
  url: string;
  stop(): Promise<void>;
}

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const door: Door = { ...options, forwarder: createForwarder(), cutOffs: createCutOffs() };
  const server = createServer((incoming, outgoing) => {
    void serve(incoming, outgoing, door);
  });
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      door.forwarder.stop();
    },
  };
}

interface Door extends GatewayOptions {
  forwarder: Forwarder;
  cutOffs: CutOffs;
}

async function serve(incoming: IncomingMessage, outgoing: ServerResponse, door: Door): Promise<void> {
  let service = 'unknown';
  try {
    const body = await bodyOf(incoming);
    const url = incoming.url ?? '/';
    const { pathname, searchParams } = new URL(url, 'http://local');
    if (pathname.startsWith('/_local/')) return send(outgoing, door.internal(pathname, body));
    const request = {
      method: incoming.method ?? 'GET',
      path: pathname,
      query: searchParams,
      headers: incoming.headers,
      body,
    };
    const identified = identify(request);
    service = identified.service;
    const caller = identified.accessKeyId === undefined ? undefined : door.callerOf(identified.accessKeyId);
    let text: string | undefined;
    const bodyText = (): string => {
      text ??= body.toString('utf8');
      return text;
    };
    const call: GatewayCall = { ...request, ...identified, caller, bodyText };
    const denied = door.denied(call);
    if (denied !== undefined)
      return send(outgoing, errorReply(service, accessDenied(service), denied, service === 's3' ? 403 : 400));
    if (caller) return await serveFunction(call, caller, url, outgoing, door);
    send(outgoing, door.answered(call, await answer(call, url, door)));
  } catch (error) {
    if (outgoing.destroyed) return;
    send(outgoing, errorReply(service, 'InternalFailure', error instanceof Error ? error.message : String(error), 500));
  }
}

/** A call of a function: faults may hit it before it is carried out, and after. */
async function serveFunction(
  call: GatewayCall,
  caller: Caller,
  url: string,
  outgoing: ServerResponse,
  door: Door,
): Promise<void> {
  const intercept: InterceptedCall = {
    functionName: caller.functionName,
    pid: caller.pid,
    service: call.service,
    operation: call.operation,
    bodyText: call.bodyText,
    callId: headerText(call.headers['amz-sdk-invocation-id']),
  };
  if (!(await door.cutOffs.enter(intercept))) return void outgoing.destroy();
  try {
    if (await intercepted(caller, intercept, 'before', outgoing, door)) return;
    const reply = door.answered(call, await answer(call, url, door));
    if (await intercepted(caller, { ...intercept, status: reply.status }, 'after', outgoing, door)) return;
    send(outgoing, reply);
  } finally {
    door.cutOffs.leave(intercept);
  }
}

const headerText = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

async function answer(call: GatewayCall, url: string, door: Door): Promise<Reply> {
  const ours = await door.services[call.service]?.(call);
  if (ours !== undefined) return ours;
  const engine = door.engines[call.service];
  if (engine) return door.forwarder.forward(engine, call.service, { ...call, url });
  const known = [...Object.keys(door.services), ...Object.keys(door.engines)].join(', ');
  return errorReply(
    call.service,
    'UnknownOperationException',
    `the local system has no ${call.service}; it has ${known}`,
  );
}

/** True when a fault ended the call; its connection is then answered, hung up or left open. */
async function intercepted(
  caller: Caller,
  intercept: InterceptedCall,
  when: When,
  outgoing: ServerResponse,
  { faults, cutOffs, refused }: Door,
): Promise<boolean> {
  const verdict = faults.decide(intercept, when);
  if (verdict.delayMs > 0) await sleep(verdict.delayMs);
  switch (verdict.end.kind) {
    case 'pass':
      return false;
    case 'kill':
      if (verdict.end.alone) await cutOffs.isolate(intercept);
      caller.kill();
      cutOffs.killed(caller.pid);
      outgoing.destroy();
      return true;
    case 'drop':
      return true;
    case 'fail':
      refused(intercept, verdict.end.code);
      send(outgoing, errorReply(intercept.service, verdict.end.code, verdict.end.message, verdict.end.status));
      return true;
  }
}

async function bodyOf(incoming: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}

function send(outgoing: ServerResponse, reply: Reply): void {
  if (outgoing.destroyed) return;
  outgoing.writeHead(reply.status, { 'content-length': String(reply.body.length), ...reply.headers });
  outgoing.end(reply.body);
}

/** Each service has its own name for it. */
const accessDenied = (service: string): string => {
  if (service === 's3') return 'AccessDenied';
  if (service === 'sns') return 'AuthorizationError';
  return 'AccessDeniedException';
};
