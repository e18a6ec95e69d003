// What a local cloud is started with.

import type { DynamoDbEngineOptions } from './engines/dynamodb.ts';
import type { LogLine } from './functions/logs.ts';

export interface LocalCloudOptions extends DynamoDbEngineOptions {
  /** Folder for logs and generated files of this run. */
  runFolder: string;
  /** Fixed port of the gateway. @default any free one */
  port?: number;
  /** Processes of one function at most. @default 10 */
  maxProcesses?: number;
  /** False: no call is refused for want of a permission. @default true */
  enforcePolicies?: boolean;
  /** False: scheduled rules run only when triggered. @default true */
  schedules?: boolean;
  /** No Wait state of a state machine waits longer. @default as its definition says */
  waitLimitMs?: number;
  onLog?(line: LogLine): void;
  /** What deserves attention and is nobody's answer. */
  onWarning?(text: string): void;
}
