// The notification consumer's function: sends one message per placed order. At least once: a crash between the message and
// its marker sends it again, with the same event id. While a replay suppresses effects, nothing is sent.

import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { defineConsumer, environmentOf } from 'event-recovery/runtime';
import { orderEvents } from '../events.ts';
import { confirmationOf } from './confirmation.ts';
import { notification } from './consumer.ts';

const environment = environmentOf(process.env);
const sns = new SNSClient({});

const text = (value: string) => ({ DataType: 'String', StringValue: value });

export const { declaration, handler } = defineConsumer({
  ...notification,
  knownEventTypes: orderEvents,
  async react(event, { signal }) {
    const { subject, message, attributes } = confirmationOf(event);
    const publish = new PublishCommand({
      TopicArn: environment.required('CONFIRMATIONS_TOPIC_ARN'),
      Subject: subject,
      Message: message,
      MessageAttributes: { eventId: text(attributes.eventId), orderId: text(attributes.orderId) },
    });
    // The signal ends the call in time, so that a slow topic fails cleanly instead of by the function's timeout.
    await sns.send(publish, { abortSignal: signal });
    return undefined;
  },
});
