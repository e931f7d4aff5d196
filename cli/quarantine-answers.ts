import { parse } from '../backbone/validation.ts';
import { type Ingest, type RerunReport, RerunRequest } from '../ingest/index.ts';

/**
 * What `qianliyan quarantine rerun` asks the running product, which alone has ingest at work. The one question that changes
 * something: whoever may open the control socket owns the data folder.
 */
export function quarantineAnswers(ingest: Pick<Ingest, 'rerun'>) {
  return {
    rerun: async (json: string): Promise<RerunReport> =>
      ingest.rerun(parse(RerunRequest, JSON.parse(json)), 'command line'),
  };
}
