// The gateway of a local cloud: which engine or service of ours answers what.

import type { Cloud } from './cloud.ts';
import type { Engines } from './engines/engines.ts';
import type { CallFaults } from './faults/call-faults.ts';
import { afterAnswer } from './gateway/after-answers.ts';
import { backupsService } from './gateway/backups-service.ts';
import { cloudWatchService } from './gateway/cloudwatch-service.ts';
import { eventsService } from './gateway/events-service.ts';
import { type Gateway, startGateway } from './gateway/gateway.ts';
import { lambdaService } from './gateway/lambda-service.ts';
import { mappingReads } from './gateway/mapping-reads.ts';
import { errorReply } from './gateway/replies.ts';
import { ssmService } from './gateway/ssm-service.ts';
import { statesService } from './gateway/states-service.ts';
import { throttlePoint } from './metrics/metrics.ts';

export interface GatewaySettings {
  port?: number;
  enforcePolicies?: boolean;
}

export const openGateway = (
  cloud: Cloud,
  engines: Engines,
  faults: CallFaults,
  settings: GatewaySettings,
): Promise<Gateway> =>
  startGateway({
    port: settings.port,
    engines: {
      dynamodb: engines.dynamodb,
      sqs: engines.messaging,
      sns: engines.messaging,
      s3: engines.messaging,
      sts: engines.messaging,
    },
    services: {
      dynamodb: backupsService({ backups: cloud.backups, tables: cloud.tables, now: Date.now }),
      lambda: mappingReads(() => cloud.mappings, lambdaService(cloud.functions)),
      cloudwatch: cloudWatchService(() => cloud.mappings, cloud.metrics, engines.messaging.queueNow),
      eventbridge: eventsService(cloud.buses),
      ssm: ssmService(cloud.parameters),
      sfn: statesService(cloud.machines),
    },
    callerOf: cloud.identities.callerOf,
    denied(call) {
      const reason = settings.enforcePolicies === false ? undefined : cloud.identities.denied(call);
      if (reason !== undefined) cloud.warn(`access denied: ${reason}`);
      return reason;
    },
    faults,
    internal(path, body) {
      if (cloud.customAnswers.receive(path, body)) return { status: 200, headers: {}, body: Buffer.alloc(0) };
      return errorReply('local', 'NotFound', path, 404);
    },
    answered: (call, reply) => afterAnswer(call, reply, cloud),
    refused({ service, operation, bodyText }, code) {
      const point = service === 'dynamodb' ? throttlePoint(operation, code, bodyText()) : undefined;
      if (point !== undefined) cloud.metrics.add(point);
    },
  });
