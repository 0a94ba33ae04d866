/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a results file. A change of any of them is a new WAVECAST_SWEEP_RESULTS_VERSION. */
#ifndef WAVECAST_SWEEP_RESULTS_SCHEMA_H
#define WAVECAST_SWEEP_RESULTS_SCHEMA_H

/* "WvCs": what `file` and this library know a results file by. */
enum { WAVECAST_SWEEP__APPLICATION_ID = 0x57764373 };

#define WAVECAST_SWEEP__TABLES                                                                     \
    "CREATE TABLE meta ("                                                                          \
    "  key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"                                  \
    "CREATE TABLE problems ("                                                                      \
    "  problem_id INTEGER PRIMARY KEY,"                                                            \
    "  gpu TEXT NOT NULL, gpu_fields TEXT NOT NULL,"                                               \
    "  model TEXT NOT NULL, tp INTEGER NOT NULL, ep INTEGER NOT NULL,"                             \
    "  kernel TEXT NOT NULL, dtype TEXT,"                                                          \
    "  configs INTEGER, legal_configs INTEGER,"                                                    \
    "  status TEXT NOT NULL, message TEXT NOT NULL);"                                              \
    "CREATE TABLE settings ("                                                                      \
    "  problem_id INTEGER NOT NULL REFERENCES problems, field TEXT NOT NULL,"                      \
    "  value REAL NOT NULL, base REAL, unit TEXT NOT NULL,"                                        \
    "  PRIMARY KEY (problem_id, field)) WITHOUT ROWID;"                                            \
    "CREATE TABLE configs ("                                                                       \
    "  config_id INTEGER PRIMARY KEY, kernel TEXT NOT NULL, config TEXT NOT NULL,"                 \
    "  UNIQUE (kernel, config));"                                                                  \
    "CREATE TABLE points ("                                                                        \
    "  point_id INTEGER PRIMARY KEY, problem_id INTEGER NOT NULL REFERENCES problems,"             \
    "  tokens INTEGER NOT NULL, routing TEXT NOT NULL,"                                            \
    "  active_experts INTEGER NOT NULL, max_over_mean REAL NOT NULL, entropy_frac REAL NOT NULL,"  \
    "  config_id INTEGER NOT NULL REFERENCES configs, time_us REAL NOT NULL,"                      \
    "  static_config_id INTEGER NOT NULL REFERENCES configs, static_us REAL NOT NULL,"             \
    "  gain_frac REAL NOT NULL, limiting TEXT NOT NULL,"                                           \
    "  launch_us REAL NOT NULL, memory_us REAL NOT NULL, l2_us REAL NOT NULL,"                     \
    "  tensor_us REAL NOT NULL, issue_us REAL NOT NULL, latency_us REAL NOT NULL,"                 \
    "  output_us REAL NOT NULL, spill_us REAL NOT NULL, tail_us REAL NOT NULL,"                    \
    "  ctas REAL NOT NULL, m_tiles REAL NOT NULL, waves REAL NOT NULL,"                            \
    "  padding_frac REAL NOT NULL, memory_bytes REAL NOT NULL, flop REAL NOT NULL);"               \
    "CREATE TABLE batches ("                                                                       \
    "  batch_id INTEGER PRIMARY KEY, problem_id INTEGER NOT NULL REFERENCES problems,"             \
    "  points INTEGER NOT NULL);"                                                                  \
    "CREATE INDEX problems_by_name ON problems (model, kernel, gpu);"                              \
    "CREATE INDEX points_by_problem ON points (problem_id, routing, tokens);"                      \
    "CREATE INDEX points_by_step ON points (routing, tokens);"                                     \
    "CREATE VIEW results AS SELECT"                                                                \
    "  point_id, gpu, gpu_fields, model, tp, ep, problems.kernel AS kernel, dtype, tokens,"        \
    "  routing, active_experts, max_over_mean, entropy_frac, best.config AS config, time_us,"      \
    "  batch.config AS static_config, static_us, gain_frac, limiting, launch_us, memory_us,"       \
    "  l2_us, tensor_us, issue_us, latency_us, output_us, spill_us, tail_us, ctas, m_tiles,"       \
    "  waves, padding_frac, memory_bytes, flop, configs, legal_configs, problem_id"                \
    "  FROM points JOIN problems USING (problem_id)"                                               \
    "  JOIN configs AS best ON best.config_id = points.config_id"                                  \
    "  JOIN configs AS batch ON batch.config_id = points.static_config_id;"

#endif
