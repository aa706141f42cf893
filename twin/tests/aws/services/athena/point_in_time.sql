/*
 Compute a deterministic hash for the `left_table_query_string` that will be used throughout
 all the logic as the field to GROUP BY the data
*/
WITH entity_dataframe AS (
    SELECT *,
        event_timestamp AS entity_timestamp
            ,(
                    CAST(driver_id as VARCHAR) ||
                CAST(event_timestamp AS VARCHAR)
            ) AS stats__entity_row_unique_id
    FROM feast_entity_df_1
),
stats__entity_dataframe AS (
    SELECT
        driver_id,
        entity_timestamp,
        stats__entity_row_unique_id
    FROM entity_dataframe
    GROUP BY
        driver_id,
        entity_timestamp,
        stats__entity_row_unique_id
),
stats__subquery AS (
    SELECT
        event_timestamp as event_timestamp,
        created as created_timestamp,
        driver_id AS driver_id,
            trips as trips
    FROM ({source})
   WHERE event_timestamp <= from_iso8601_timestamp('2026-11-25T12:00:00')
    AND event_timestamp >= from_iso8601_timestamp('2026-11-24T08:00:00')
),
stats__base AS (
    SELECT
        subquery.*,
        entity_dataframe.entity_timestamp,
        entity_dataframe.stats__entity_row_unique_id
    FROM stats__subquery AS subquery
    INNER JOIN stats__entity_dataframe AS entity_dataframe
    ON TRUE
        AND subquery.event_timestamp <= entity_dataframe.entity_timestamp
        AND subquery.event_timestamp >= entity_dataframe.entity_timestamp - 86400 * interval '1' second
        AND subquery.driver_id = entity_dataframe.driver_id
),
stats__dedup AS (
    SELECT
        stats__entity_row_unique_id,
        event_timestamp,
        MAX(created_timestamp) as created_timestamp
    FROM stats__base
    GROUP BY stats__entity_row_unique_id, event_timestamp
),
stats__latest AS (
    SELECT
        event_timestamp,
        created_timestamp,
        stats__entity_row_unique_id
    FROM
    (
        SELECT base.*,
            ROW_NUMBER() OVER(
                PARTITION BY base.stats__entity_row_unique_id
                ORDER BY base.event_timestamp DESC,base.created_timestamp DESC
            ) AS row_number
        FROM stats__base as base
            INNER JOIN stats__dedup as dedup
            ON TRUE
            AND base.stats__entity_row_unique_id = dedup.stats__entity_row_unique_id
            AND base.event_timestamp = dedup.event_timestamp
            AND base.created_timestamp = dedup.created_timestamp
    )
    WHERE row_number = 1
),
stats__cleaned AS (
    SELECT base.*
    FROM stats__base as base
    INNER JOIN stats__latest as latest
    ON TRUE
        AND base.stats__entity_row_unique_id = latest.stats__entity_row_unique_id
        AND base.event_timestamp = latest.event_timestamp
        AND base.created_timestamp = latest.created_timestamp
)
SELECT driver_id, event_timestamp, trips
FROM entity_dataframe as entity_df
LEFT JOIN (
    SELECT
        stats__entity_row_unique_id
            ,trips
    FROM stats__cleaned
) as cleaned
ON TRUE
AND entity_df.stats__entity_row_unique_id = cleaned.stats__entity_row_unique_id
