import { Counter, Gauge, type Registry as Metrics } from 'prom-client';

export type Meters = ReturnType<typeof gatewayMeters>;

/** What is counted of the gateway. Labels are the named words of the code; MNs never are (there are too many). */
export function gatewayMeters(
  metrics: Metrics,
  now: { connections(): number; devices(): number; waitingBytes(): number },
) {
  const registers = [metrics];
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  gauge('qianliyan_hj212_connections', 'TCP connections of monitors', now.connections);
  gauge('qianliyan_hj212_devices', 'Registered devices with a connection', now.devices);
  gauge('qianliyan_hj212_waiting_bytes', 'Bytes of frames that wait for storage', now.waitingBytes);
  return {
    frames: new Counter({
      name: 'qianliyan_hj212_frames_total',
      help: 'Frames by result of cutting: ok, or why a piece of the stream is no sound frame',
      labelNames: ['result'],
      registers,
    }),
    answers: new Counter({
      name: 'qianliyan_hj212_answers_total',
      help: 'What frames were answered with: 9013, 9014, or why not',
      labelNames: ['answer'],
      registers,
    }),
    unstored: new Counter({
      name: 'qianliyan_hj212_unstored_total',
      help: 'Tries to store a frame that failed, so that it was not answered',
      registers,
    }),
    ended: new Counter({
      name: 'qianliyan_hj212_ended_total',
      help: 'Connections that the gateway refused or ended, by reason',
      labelNames: ['reason'],
      registers,
    }),
    requests: new Counter({
      name: 'qianliyan_hj212_requests_total',
      help: 'Requests to devices by command and outcome',
      labelNames: ['cn', 'outcome'],
      registers,
    }),
  };
}
