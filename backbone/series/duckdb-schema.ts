/**
 * What lies in DuckDB:
 *
 *   datastreams  id, name                                            the dictionary
 *   sources      id, name                                            how points came; 0 is native JSON, without a name
 *   points       series, time, value, quality, received_at, source   no index: zone maps on time narrow every scan
 *   positions    topic, part, next_offset                            in one transaction with the points before it
 *   totals       duplicates, deleted                                 one row
 *
 * A key index on points would cost more than the writes themselves.
 */
export const SCHEMA = `
  CREATE TABLE IF NOT EXISTS datastreams (id INTEGER NOT NULL, name VARCHAR NOT NULL);
  CREATE TABLE IF NOT EXISTS sources (id INTEGER NOT NULL, name VARCHAR NOT NULL);
  INSERT INTO sources SELECT 0, '' WHERE NOT EXISTS (FROM sources);
  CREATE TABLE IF NOT EXISTS points (
    series INTEGER NOT NULL, time BIGINT NOT NULL, value DOUBLE NOT NULL, quality UTINYINT NOT NULL,
    received_at BIGINT NOT NULL);
  ALTER TABLE points ADD COLUMN IF NOT EXISTS source USMALLINT DEFAULT 0;
  CREATE TABLE IF NOT EXISTS positions (topic VARCHAR NOT NULL, part INTEGER NOT NULL, next_offset BIGINT NOT NULL);
  CREATE TABLE IF NOT EXISTS totals (duplicates BIGINT NOT NULL, deleted BIGINT NOT NULL);
  INSERT INTO totals SELECT 0, 0 WHERE NOT EXISTS (FROM totals);
`;
