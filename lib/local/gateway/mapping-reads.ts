// GetEventSourceMapping and ListEventSourceMappings in front of the other Lambda operations: what the poller says about itself.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html

import { evidenceOf } from '../mappings/evidence.ts';
import type { Mapping } from '../mappings/mapping.ts';
import { arn, resourceOfArn } from '../names.ts';
import type { ServiceHandler } from './gateway.ts';
import { mappingIdOf } from './identify.ts';
import { errorReply, jsonReply } from './replies.ts';

export const mappingReads =
  (mappings: () => readonly Mapping[], others: ServiceHandler): ServiceHandler =>
  async (call) => {
    if (call.operation === 'ListEventSourceMappings') {
      const name = resourceOfArn(call.query.get('FunctionName') ?? '').replace(/^function:/, '');
      const found = mappings().filter(({ functionName }) => name === '' || functionName === name);
      return jsonReply({ EventSourceMappings: found.flatMap((mapping) => configurationOf(mapping) ?? []) });
    }
    if (call.operation !== 'GetEventSourceMapping') return others(call);
    const id = mappingIdOf(call.path);
    const mapping = mappings().find((one) => one.id === id);
    const configuration = mapping && configurationOf(mapping);
    return configuration === undefined
      ? errorReply('lambda', 'ResourceNotFoundException', `there is no event source mapping ${id}`, 404)
      : jsonReply(configuration);
  };

function configurationOf(mapping: Mapping): object | undefined {
  const evidence = evidenceOf(mapping);
  return (
    evidence && {
      UUID: mapping.id,
      EventSourceMappingArn: arn('lambda', `event-source-mapping:${mapping.id}`),
      EventSourceArn: mapping.sourceArn,
      FunctionArn: arn('lambda', `function:${mapping.functionName}`),
      State: evidence.state,
      LastProcessingResult: evidence.lastProcessingResult,
    }
  );
}
