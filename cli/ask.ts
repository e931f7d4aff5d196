import { resolve } from 'node:path';
import { askRunning } from './control.ts';
import { requireDataFolder } from './data-folder.ts';
import type { Question } from './questions.ts';

/**
 * Puts a question to the product that runs on a data folder, or, when none does, to the stores in it. What opens stores
 * is loaded only in the second case: a question to a running product should be quick.
 */
export async function ask<T>(data: string, question: Question, argument = ''): Promise<T> {
  const folder = resolve(data);
  requireDataFolder(folder);
  const answer = await askRunning<T>(folder, question, argument);
  if (answer !== null) return answer;
  const { answerOffline } = await import('./offline.ts');
  return (await answerOffline(folder, question, argument)) as T;
}
