// How far the log is behind the store, by AWS's own evidence about the relay: its event source mapping must be enabled and
// its last result no problem; then the age of the last record of a batch is the lag. No data point means that the relay had
// nothing to do. Everything else is "nobody can say", and a scan then never answers that there are no gaps.

import {
  GetMetricDataCommand,
  type GetMetricDataCommandInput,
  type GetMetricDataCommandOutput,
} from '@aws-sdk/client-cloudwatch';
import { GetEventSourceMappingCommand, type GetEventSourceMappingCommandOutput } from '@aws-sdk/client-lambda';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logging.ts';
import type { LogLag } from './port.ts';

/** The parts of the clients that are needed here. */
export interface MappingReader {
  send(
    command: GetEventSourceMappingCommand,
  ): Promise<Pick<GetEventSourceMappingCommandOutput, 'State' | 'LastProcessingResult'>>;
}
export interface MetricReader {
  send(command: GetMetricDataCommand): Promise<Pick<GetMetricDataCommandOutput, 'MetricDataResults'>>;
}

export interface RelayLagOptions {
  lambda: MappingReader;
  cloudWatch: MetricReader;
  clock: Clock;
  logger: Logger;
  /** Id of the relay's event source mapping. */
  mappingId: string;
  /** Name of the relay's function. */
  functionName: string;
}

/**
 * Lambda sends metrics in intervals of one minute (developer guide, "Using CloudWatch metrics with Lambda"): the last full
 * minute and the running one are in a window of three.
 */
const WINDOW_MS = 3 * 60_000;
const PERIOD_SECONDS = 60;

export function createRelayLag(options: RelayLagOptions): LogLag {
  const { lambda, cloudWatch, clock, logger, mappingId, functionName } = options;
  return {
    async measure() {
      try {
        const mapping = await lambda.send(new GetEventSourceMappingCommand({ UUID: mappingId }));
        if (!isWorking(mapping)) {
          const { State, LastProcessingResult } = mapping;
          logger.warn('the relay does not work: nobody can say what the log lacks', { State, LastProcessingResult });
          return undefined;
        }
        const answer = await cloudWatch.send(new GetMetricDataCommand(iteratorAge(functionName, clock.now())));
        return lagOf(answer);
      } catch (error) {
        logger.warn('the lag of the log could not be measured', { error });
        return undefined;
      }
    },
  };
}

/** `LastProcessingResult` is "OK", "No records processed", or begins with "PROBLEM". */
const isWorking = ({ State, LastProcessingResult = '' }: { State?: string; LastProcessingResult?: string }): boolean =>
  State === 'Enabled' && !LastProcessingResult.startsWith('PROBLEM');

const iteratorAge = (functionName: string, now: number): GetMetricDataCommandInput => ({
  StartTime: new Date(now - WINDOW_MS),
  EndTime: new Date(now),
  ScanBy: 'TimestampDescending',
  MetricDataQueries: [
    {
      Id: 'age',
      MetricStat: {
        Metric: {
          Namespace: 'AWS/Lambda',
          MetricName: 'IteratorAge',
          Dimensions: [{ Name: 'FunctionName', Value: functionName }],
        },
        Period: PERIOD_SECONDS,
        Stat: 'Maximum',
      },
    },
  ],
});

/** The newest minute counts: what was late before and is caught up now is no lag. */
function lagOf({ MetricDataResults = [] }: Pick<GetMetricDataCommandOutput, 'MetricDataResults'>): number | undefined {
  const [result] = MetricDataResults;
  if (result === undefined || result.StatusCode === 'InternalError' || result.StatusCode === 'Forbidden')
    return undefined;
  return Math.max(0, result.Values?.[0] ?? 0);
}
