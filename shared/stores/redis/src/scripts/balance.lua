-- KEYS: as in reserve.lua. ARGV: now. Changes nothing: what has run out is taken off what is held.
local held = tonumber(redis.call('HGET', KEYS[1], 'held') or '0')
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1])) do
  held = held - tonumber(redis.call('HGET', KEYS[1], 'o' .. id) or '0')
end
return { redis.call('HGET', KEYS[1], 'spent') or '0', string.format('%.0f', held) }
