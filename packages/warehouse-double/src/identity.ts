/** What the double says of itself wherever it can be asked: nobody shall take it for Snowflake. */
export const doubleName = 'millrace-warehouse-double'
export const doubleVersion = '0.1.0'
export const doubleNotice =
  'this is a DOUBLE of the warehouse: it speaks a part of Snowflake’s wire protocol on DuckDB, for machines without an account, and is not Snowflake'
