// GetEventSourceMapping in front of the other Lambda operations: what the poller says about itself.
// https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html

import { evidenceOf } from '../mappings/evidence.ts';
import type { Mapping } from '../mappings/mapping.ts';
import { arn } from '../names.ts';
import type { ServiceHandler } from './gateway.ts';
import { mappingIdOf } from './identify.ts';
import { errorReply, jsonReply } from './replies.ts';

export const mappingReads =
  (mappings: () => readonly Mapping[], others: ServiceHandler): ServiceHandler =>
  async (call) => {
    if (call.operation !== 'GetEventSourceMapping') return others(call);
    const id = mappingIdOf(call.path);
    const mapping = mappings().find((one) => one.id === id);
    const evidence = mapping && evidenceOf(mapping);
    if (mapping === undefined || evidence === undefined)
      return errorReply('lambda', 'ResourceNotFoundException', `there is no event source mapping ${id}`, 404);
    return jsonReply({
      UUID: mapping.id,
      EventSourceMappingArn: arn('lambda', `event-source-mapping:${mapping.id}`),
      EventSourceArn: mapping.sourceArn,
      FunctionArn: arn('lambda', `function:${mapping.functionName}`),
      State: evidence.state,
      LastProcessingResult: evidence.lastProcessingResult,
    });
  };
